//! A plain software painter for egui's triangles: pictures of panels without a window or a graphics driver.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use egui_kittest::TestRenderer;
use egui_kittest::kittest::Queryable as _;

use bevy_egui::egui::{self, Color32, ColorImage, TextureId, TexturesDelta, epaint};

/// Textures as egui hands them out.
#[derive(Clone, Default)]
pub(crate) struct Textures(Rc<RefCell<BTreeMap<String, ColorImage>>>);

impl TestRenderer for Textures {
    fn handle_delta(&mut self, delta: &mut TexturesDelta) {
        let mut all = self.0.borrow_mut();
        let parts = std::mem::take(&mut delta.set)
            .into_iter()
            .flat_map(|(id, parts)| parts.into_iter().map(move |p| (id, p)));
        for (id, part) in parts {
            let epaint::ImageData::Color(image) = &part.image;
            let key = format!("{id:?}");
            match part.pos {
                None => {
                    all.insert(key, image.as_ref().clone());
                }
                Some([x0, y0]) => {
                    let whole = all.get_mut(&key).expect("a part follows its whole");
                    for y in 0..image.size[1] {
                        for x in 0..image.size[0] {
                            whole.pixels[(y0 + y) * whole.size[0] + x0 + x] =
                                image.pixels[y * image.size[0] + x];
                        }
                    }
                }
            }
        }
    }
}

/// A picture of what was drawn.
pub(crate) struct Canvas {
    pub width: usize,
    pub height: usize,
    pub pixels: Vec<Color32>,
}

impl Canvas {
    /// Paints the last output of a context.
    pub(crate) fn paint(
        ctx: &egui::Context,
        output: &egui::FullOutput,
        textures: &Textures,
        size: [usize; 2],
    ) -> Self {
        let mut canvas =
            Self { width: size[0], height: size[1], pixels: vec![Color32::BLACK; size[0] * size[1]] };
        let textures = textures.0.borrow();
        let scale = output.pixels_per_point;
        for clipped in ctx.tessellate(output.shapes.clone(), scale) {
            if let epaint::Primitive::Mesh(mesh) = clipped.primitive {
                let texture = texture_of(&textures, mesh.texture_id);
                for triangle in mesh.indices.chunks_exact(3) {
                    let v = [0, 1, 2].map(|i| mesh.vertices[triangle[i] as usize]);
                    canvas.triangle(&v, scale, clipped.clip_rect, texture);
                }
            }
        }
        canvas
    }

    fn triangle(
        &mut self,
        v: &[epaint::Vertex; 3],
        scale: f32,
        clip: egui::Rect,
        texture: Option<&ColorImage>,
    ) {
        let p = v.map(|v| (v.pos.x * scale, v.pos.y * scale));
        let area = (p[1].0 - p[0].0) * (p[2].1 - p[0].1) - (p[1].1 - p[0].1) * (p[2].0 - p[0].0);
        if area == 0.0 {
            return;
        }
        let low = |f: fn(&(f32, f32)) -> f32, least: f32| {
            p.iter().map(f).fold(f32::MAX, f32::min).max(least).max(0.0)
        };
        let high = |f: fn(&(f32, f32)) -> f32, most: f32| p.iter().map(f).fold(f32::MIN, f32::max).min(most);
        let (x0, x1) =
            (low(|p| p.0, clip.min.x * scale), high(|p| p.0, clip.max.x * scale).min(self.width as f32));
        let (y0, y1) =
            (low(|p| p.1, clip.min.y * scale), high(|p| p.1, clip.max.y * scale).min(self.height as f32));
        for y in y0.floor() as usize..(y1.ceil().max(0.0) as usize).min(self.height) {
            for x in x0.floor() as usize..(x1.ceil().max(0.0) as usize).min(self.width) {
                let (px, py) = (x as f32 + 0.5, y as f32 + 0.5);
                let inside = clip.contains(egui::pos2(px / scale, py / scale));
                let w = |a: usize, b: usize| {
                    ((p[b].0 - p[a].0) * (py - p[a].1) - (p[b].1 - p[a].1) * (px - p[a].0)) / area
                };
                let weights = [w(1, 2), w(2, 0), w(0, 1)];
                // A shared edge belongs to one of its two triangles.
                if !inside || weights.iter().any(|w| *w < 0.0) {
                    continue;
                }
                let mix =
                    |f: fn(&epaint::Vertex) -> f32| -> f32 { (0..3).map(|i| weights[i] * f(&v[i])).sum() };
                let texel = texture.map_or([1.0; 4], |t| sample(t, mix(|v| v.uv.x), mix(|v| v.uv.y)));
                let color = [
                    mix(|v| v.color.r().into()),
                    mix(|v| v.color.g().into()),
                    mix(|v| v.color.b().into()),
                    mix(|v| v.color.a().into()),
                ];
                let at = &mut self.pixels[y * self.width + x];
                let alpha = color[3] / 255.0 * texel[3];
                let blend = |src: f32, dst: u8| {
                    (src + f32::from(dst) * (1.0 - alpha)).round().clamp(0.0, 255.0) as u8
                };
                *at = Color32::from_rgb(
                    blend(color[0] * texel[0], at.r()),
                    blend(color[1] * texel[1], at.g()),
                    blend(color[2] * texel[2], at.b()),
                );
            }
        }
    }

    /// Writes a PNG.
    pub(crate) fn save(&self, path: &std::path::Path) {
        let file = std::io::BufWriter::new(std::fs::File::create(path).unwrap());
        let mut encoder = png::Encoder::new(file, self.width as u32, self.height as u32);
        encoder.set_color(png::ColorType::Rgb);
        let bytes: Vec<u8> = self.pixels.iter().flat_map(|c| [c.r(), c.g(), c.b()]).collect();
        encoder.write_header().unwrap().write_image_data(&bytes).unwrap();
    }

    /// Share of pixels of a rectangle that are not the background of rooms and panels.
    pub(crate) fn ink(&self, rect: egui::Rect) -> f64 {
        let (mut ink, mut all) = (0_u32, 0_u32);
        for y in rect.min.y.max(0.0) as usize..(rect.max.y as usize).min(self.height) {
            for x in rect.min.x.max(0.0) as usize..(rect.max.x as usize).min(self.width) {
                let c = self.pixels[y * self.width + x];
                all += 1;
                ink += u32::from(c.r().max(c.g()).max(c.b()) > 0x50);
            }
        }
        f64::from(ink) / f64::from(all.max(1))
    }
}

fn texture_of(textures: &BTreeMap<String, ColorImage>, id: TextureId) -> Option<&ColorImage> {
    textures.get(&format!("{id:?}"))
}

fn sample(t: &ColorImage, u: f32, v: f32) -> [f32; 4] {
    let x = ((u * t.size[0] as f32) as usize).min(t.size[0] - 1);
    let y = ((v * t.size[1] as f32) as usize).min(t.size[1] - 1);
    let c = t.pixels[y * t.size[0] + x];
    [c.r(), c.g(), c.b(), c.a()].map(|c| f32::from(c) / 255.0)
}

/// Bounds of a labelled widget.
pub(crate) fn rect_of<S>(harness: &egui_kittest::Harness<'_, S>, label: &str) -> egui::Rect {
    harness.get_by_label(label).rect()
}
