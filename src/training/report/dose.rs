//! Dose in the report's page.

use super::html::{clock, escape};
use crate::training::dose::DoseReport;

/// Totals, manoeuvres, alerts, staff.
pub(super) fn dose(out: &mut String, d: &DoseReport) {
    put!(
        out,
        "<h2>Dose</h2><p>Air kerma at the reference point {:.1} mGy ({:.1} mGy by fluoroscopy), kerma-area product {:.2} \
         Gy cm<sup>2</sup> ({:.2} by fluoroscopy), fluoroscopy {}, largest dose to the skin {:.1} mGy.</p>",
        d.air_kerma_mgy,
        d.fluoro_kerma_mgy,
        d.kap_gy_cm2,
        d.fluoro_kap_gy_cm2,
        clock(d.fluoro_s),
        d.peak_skin_mgy
    );
    if let Some(r) = &d.reference {
        put!(
            out,
            "<p>{:.0} % of the reference level for {} ({:.0} Gy cm<sup>2</sup>, {}).</p>",
            r.share_pct,
            escape(&r.procedure),
            r.kap_gy_cm2,
            escape(&r.source)
        );
    }
    for a in &d.alerts {
        let follow_up = if a.substantial { ": substantial, the patient needs follow-up" } else { "" };
        put!(
            out,
            "<p class=\"failed\">Alert at {}: {} reached {:.0} {}{follow_up}.</p>",
            clock(a.time_s),
            quantity(a.quantity),
            a.level,
            escape(&a.unit)
        );
    }
    out.push_str(
        "<div class=\"wide\"><table><tr><th>Until</th><th class=\"n\">From</th><th class=\"n\">To</th>\
         <th class=\"n\">Fluoroscopy</th><th class=\"n\">Runs</th><th class=\"n\">Fluoro, mGy</th>\
         <th class=\"n\">Runs, mGy</th><th class=\"n\">KAP, Gy cm2</th></tr>",
    );
    for m in &d.manoeuvres {
        put!(
            out,
            "<tr><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td>\
             <td class=\"n\">{:.2}</td><td class=\"n\">{:.2}</td><td class=\"n\">{:.3}</td></tr>",
            escape(&m.label),
            clock(m.from_s),
            clock(m.to_s),
            clock(m.fluoro_s),
            m.runs,
            m.fluoro_kerma_mgy,
            m.run_kerma_mgy,
            m.kap_gy_cm2
        );
    }
    out.push_str("</table></div><p class=\"soft\">Scatter to the staff, uGy: ");
    let staff: Vec<String> =
        d.staff.iter().map(|s| format!("{} {:.2}", escape(&s.place), s.kerma_ugy)).collect();
    put!(out, "{} [K].</p>", staff.join(", "));
}

fn quantity(q: crate::xray::dose::DoseQuantity) -> &'static str {
    use crate::xray::dose::DoseQuantity as Q;
    match q {
        Q::PeakSkinDose => "dose to the skin",
        Q::AirKerma => "air kerma",
        Q::KermaArea => "kerma-area product",
        Q::FluoroTime => "fluoroscopy time",
    }
}
