//! Many at once, and how long it takes. Times are printed, never judged.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use tare_network::{Bridge, Config, Endpoint};
use tare_sys::namespace::{Kinds, run_in};

use crate::world::{HOST, Place, config, on_host, open, port, request};

#[test]
fn sixty_four_at_once_never_collide() {
    on_host(|host, outside| {
        let subnet = Some("10.0.0.0/25".parse().unwrap());
        let bridge = Bridge::open(Config {
            subnet,
            ..config("tare0")
        })
        .unwrap();
        let start = Instant::now();
        let endpoints: Vec<Endpoint> = std::thread::scope(|scope| {
            let attach = |index: usize| {
                let name = format!("container{index}");
                let enter = [(host.fd(), Kinds::NETWORK)];
                run_in(&enter, || bridge.attach(&request(&name, &["0:80"])))
                    .unwrap()
                    .unwrap()
            };
            let threads: Vec<_> = (0..64)
                .map(|index| scope.spawn(move || attach(index)))
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect()
        });
        println!(
            "64 attaches at once with a port each: {:?}",
            start.elapsed()
        );
        let addresses: HashSet<_> = endpoints.iter().map(|found| found.record.address).collect();
        let ports: HashSet<_> = endpoints
            .iter()
            .map(|found| found.record.ports[0].host_port)
            .collect();
        assert_eq!((addresses.len(), ports.len()), (64, 64));
        for endpoint in endpoints.iter().step_by(9) {
            let server = Place::of(endpoint).listen(80);
            outside.talk(
                &format!("{HOST}:{}", endpoint.record.ports[0].host_port),
                &server,
            );
        }
        for endpoint in &endpoints {
            bridge.detach(&endpoint.record).unwrap();
        }
        assert_eq!(bridge.endpoints(), 0);
    });
}

#[test]
fn a_thousand_ports_are_one_transaction() {
    on_host(|host, outside| {
        let bridge = open("tare0");
        let mut wanted = request("many", &[]);
        wanted.ports = (0..1000)
            .map(|index| port(&format!("{}:80", 10000 + index)))
            .collect();
        wanted.ports[500].host_ip = Some(HOST.parse().unwrap());
        let start = Instant::now();
        let endpoint = bridge.attach(&wanted).unwrap();
        let attached = start.elapsed();
        let server = Place::of(&endpoint).listen(80);
        for port in [10000, 10500, 10999] {
            outside.talk(&format!("{HOST}:{port}"), &server);
        }
        let start = Instant::now();
        bridge
            .reconcile(std::slice::from_ref(&endpoint.record))
            .unwrap();
        let reconciled = start.elapsed();
        outside.talk(&format!("{HOST}:10999"), &server);
        let start = Instant::now();
        bridge.detach(&endpoint.record).unwrap();
        println!(
            "1,000 ports: attach {attached:?}, reconcile {reconciled:?}, detach {:?}",
            start.elapsed()
        );
        assert!(!host.ruleset().contains("10500"));
    });
}

#[test]
fn times_of_attach_and_detach() {
    on_host(|_, _| {
        let bridge = open("tare0");
        for ports in [&[][..], &["8080:80"][..]] {
            let mut times: Vec<(Duration, Duration)> = Vec::new();
            for index in 0..100 {
                let start = Instant::now();
                let endpoint = bridge
                    .attach(&request(&format!("c{index}"), ports))
                    .unwrap();
                let attached = start.elapsed();
                let start = Instant::now();
                bridge.detach(&endpoint.record).unwrap();
                times.push((attached, start.elapsed()));
            }
            let median = |pick: fn(&(Duration, Duration)) -> Duration| {
                let mut sorted: Vec<_> = times.iter().map(pick).collect();
                sorted.sort();
                (sorted[50], sorted[98])
            };
            let (attach, detach) = (median(|both| both.0), median(|both| both.1));
            println!(
                "{} ports: attach {attach:?}, detach {detach:?} (median, p99)",
                ports.len()
            );
        }
    });
}
