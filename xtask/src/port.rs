//! Loopback ports: free ones, and where possible the same as last time.
//!
//! A steady port matters twice: the browser tests are compiled with the conductor's address, and a browser keeps its
//! databases by origin.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use crate::failure::{Outcome, While};
use crate::project::Project;

/// A loopback address that is free now: the one that `purpose` had last time, if possible.
pub fn remembered(project: &Project, purpose: &str) -> Outcome<SocketAddr> {
    let memory = project.build(&format!("ports/{purpose}"));
    let last = fs::read_to_string(&memory).ok().and_then(|text| text.trim().parse().ok());
    let address = free(last.unwrap_or(0))?;
    if last != Some(address.port()) {
        fs::create_dir_all(project.build("ports")).while_doing(|| "making build/ports".to_owned())?;
        fs::write(&memory, address.port().to_string()).while_doing(|| format!("writing {}", memory.display()))?;
    }
    Ok(address)
}

/// A loopback address that is free now: that port, or another one if it is taken.
pub fn free(wanted: u16) -> Outcome<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, wanted))
        .or_else(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))
        .while_doing(|| "finding a free port".to_owned())?;
    listener.local_addr().while_doing(|| "finding a free port".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_port_is_replaced_by_a_free_one() {
        let busy = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("some port is free");
        let port = busy.local_addr().expect("it is bound").port();
        assert_ne!(free(port).expect("another port is free").port(), port);
    }
}
