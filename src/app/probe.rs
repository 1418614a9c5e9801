//! Can a window be opened here? Asked before the program starts one, so that a demo can go on without.

/// A display that answers and a graphics adapter, or what is missing.
///
/// # Errors
/// One clear sentence.
pub fn probe() -> Result<(), String> {
    display()?;
    adapter()
}

fn adapter() -> Result<(), String> {
    let backends = wgpu::Backends::from_env().unwrap_or(wgpu::Backends::all());
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor {
        backends,
        ..wgpu::InstanceDescriptor::new_without_display_handle()
    });
    let options = wgpu::RequestAdapterOptions::default();
    match bevy::tasks::block_on(instance.request_adapter(&options)) {
        Ok(_) => Ok(()),
        Err(_) => {
            Err("no graphics adapter was found (a software driver will do: Debian's mesa-vulkan-drivers)"
                .to_owned())
        }
    }
}

#[cfg(not(all(unix, not(target_os = "macos"))))]
fn display() -> Result<(), String> {
    Ok(())
}

#[cfg(all(unix, not(target_os = "macos")))]
fn display() -> Result<(), String> {
    let name = std::env::var("DISPLAY").unwrap_or_default();
    if name.is_empty() {
        return Err("no display: DISPLAY is not set".to_owned());
    }
    x_server_answers(&name)
}

/// Opens and closes a connection to the X server of a display name: `:1`, `unix:1.0`, `host:0`.
#[cfg(all(unix, not(target_os = "macos")))]
fn x_server_answers(name: &str) -> Result<(), String> {
    let fault = |why: &str| format!("the display {name} cannot be opened: {why}");
    let (host, rest) = name.rsplit_once(':').ok_or_else(|| fault("it is no display name"))?;
    let number: u16 =
        rest.split('.').next().and_then(|n| n.parse().ok()).ok_or_else(|| fault("it is no display name"))?;
    if host.is_empty() || host == "unix" {
        let socket = format!("/tmp/.X11-unix/X{number}");
        if std::os::unix::net::UnixStream::connect(&socket).is_ok() || abstract_socket(&socket) {
            return Ok(());
        }
        return Err(fault("no X server answers"));
    }
    let port = 6000_u16.checked_add(number).ok_or_else(|| fault("its number is too large"))?;
    std::net::TcpStream::connect((host, port)).map(|_| ()).map_err(|e| fault(&e.to_string()))
}

#[cfg(target_os = "linux")]
fn abstract_socket(path: &str) -> bool {
    use std::os::linux::net::SocketAddrExt as _;
    use std::os::unix::net::{SocketAddr, UnixStream};
    SocketAddr::from_abstract_name(path).is_ok_and(|a| UnixStream::connect_addr(&a).is_ok())
}

#[cfg(all(unix, not(target_os = "macos"), not(target_os = "linux")))]
fn abstract_socket(_path: &str) -> bool {
    false
}

#[cfg(all(test, unix, not(target_os = "macos")))]
mod tests {
    use super::*;

    #[test]
    fn a_display_that_does_not_answer_is_named() {
        for (name, word) in
            [(":997", "no X server"), ("nonsense", "no display name"), (":x", "no display name")]
        {
            let why = x_server_answers(name).unwrap_err();
            assert!(why.contains(word) && why.contains(name), "{why}");
        }
    }
}
