//! The bridge, ports and the other networks, with the kernel's own loading of
//! every module.

use super::super::engine::{Engine, eventually};
use super::super::program::Program;
use anyhow::{Context, Result, ensure};
use std::fs;

/// The host's address that is not the loopback's.
const HOST: &str = "192.0.2.2";
const SERVE: &str = "mkdir /www && echo served > /www/index.html && exec httpd -f -h /www";

fn fetch(url: &str) -> Result<()> {
    eventually(url, || {
        Program::new("busybox", &["wget", "-q", "-O", "-", url])
            .run()?
            .prints("served\n")
    })
}

fn address(engine: &Engine, name: &str) -> Result<String> {
    let inspected = engine.inspect(name)?;
    let address = inspected["NetworkSettings"]["Networks"]["bridge"]["IPAddress"].as_str();
    let address = address.with_context(|| format!("{name} has no address"))?;
    ensure!(!address.is_empty(), "{name} has no address");
    Ok(address.to_owned())
}

pub(super) fn published_port(engine: &Engine) -> Result<()> {
    engine.start_container("web", &["-p", "8080:80"], SERVE)?;
    for authority in [
        "127.0.0.1:8080",
        &format!("{HOST}:8080"),
        &address(engine, "web")?,
    ] {
        fetch(&format!("http://{authority}/"))?;
    }
    // From another container, through the host's address.
    let script = format!("wget -q -O - http://{HOST}:8080/");
    engine.run(&[], &script)?.prints("served\n")?;
    let forwarding = fs::read_to_string("/proc/sys/net/ipv4/ip_forward")?;
    ensure!(forwarding == "1\n", "forwarding is {forwarding}");
    engine.remove("web")?;
    let gone = Program::new(
        "busybox",
        &["wget", "-q", "-O", "-", "http://127.0.0.1:8080/"],
    );
    ensure!(gone.run()?.code != 0, "the port is still served");
    // Only where it was asked for, and the port can be had again.
    engine.start_container("web", &["-p", "127.0.0.1:8080:80"], SERVE)?;
    fetch("http://127.0.0.1:8080/")?;
    let elsewhere = format!("http://{HOST}:8080/");
    let elsewhere = Program::new("busybox", &["wget", "-q", "-O", "-", &elsewhere]).run()?;
    ensure!(elsewhere.code != 0, "{elsewhere}");
    engine.remove("web")
}

pub(super) fn port_in_use(engine: &Engine) -> Result<()> {
    engine.start_container("first", &["-p", "8081:80"], SERVE)?;
    engine
        .run(&["-p", "8081:80"], "true")?
        .complains(125, "8081")?;
    fetch("http://127.0.0.1:8081/")?;
    engine.remove("first")
}

pub(super) fn between_containers(engine: &Engine) -> Result<()> {
    engine.start_container("server", &[], SERVE)?;
    let server = address(engine, "server")?;
    eventually("the server answers", || {
        let script = format!("wget -q -O - http://{server}/");
        engine.run(&[], &script)?.prints("served\n")
    })?;
    let script =
        format!("ping -c 1 -W 5 {server} > /dev/null && ping -c 1 -W 5 {HOST} > /dev/null");
    engine.run(&[], &script)?.expect(0)?;
    engine.remove("server")
}

pub(super) fn none(engine: &Engine) -> Result<()> {
    let script = "ls /sys/class/net && ip route | wc -l && ping -c 1 -W 5 127.0.0.1 > /dev/null";
    engine.run(&["--network=none"], script)?.prints("lo\n0\n")
}

pub(super) fn host(engine: &Engine) -> Result<()> {
    let namespace = fs::read_link("/proc/self/ns/net")?;
    let script = "readlink /proc/self/ns/net; hostname; cat /sys/class/net/eth0/operstate";
    let state = fs::read_to_string("/sys/class/net/eth0/operstate")?;
    engine
        .run(&["--network=host"], script)?
        .prints(&format!("{}\nstock\n{state}", namespace.display()))
}
