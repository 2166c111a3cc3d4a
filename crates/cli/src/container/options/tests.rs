//! The bodies that our client sends against those that Docker's client 28.2
//! sends for the same flags. They were recorded from that client
//! (`TARE_RECORD=1 cargo nextest run -p tare-cli docker_s_client`); where it
//! is installed they are recorded again and compared, which keeps the record
//! honest.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::*;
use crate::container::create::COMMAND;
use crate::grammar::{Parsed, parse};

const RECORD: &str = include_str!("tests/docker-28.json");

/// Flags, parted by single spaces; `{}` stands for the working directory.
const CASES: &[&str] = &[
    "",
    "-it",
    "-i --init",
    "--init=false --rm --privileged --read-only",
    "-a stdin -a STDOUT",
    "--attach=stderr -t",
    "--name web --platform linux/arm64/v8 --hostname web --domainname example.org -u 1:2 -w /srv",
    "-e A=B -e INHERITED -e MISSING -e EMPTY= --env-file {}/variables",
    "-l one=1 -l two --label-file {}/labels --label three=a=b",
    "--annotation a=b --annotation c",
    "--entrypoint /bin/sh",
    "--entrypoint=",
    "-p 80 -p 8080:80 -p 127.0.0.1:53:53/udp -p [::1]:443:443 -p 9000/SCTP",
    "-p 8000-8002:9000-9002 -p 7000-7010:7000 -p 127.0.0.1::99 --expose 80-81/udp --expose 22",
    "-p published=80,target=90,protocol=udp -P",
    "-v /host:/container",
    "-v named:/container:ro,z",
    "-v /anonymous -v ./relative:/r -v ~/home:/h:rshared -v ../up:/u",
    "--mount type=bind,src=/a,dst=/b,readonly,bind-propagation=rshared",
    "--mount type=bind,src=./a,target=/b,bind-recursive=disabled,consistency=cached",
    "--mount type=bind,src=/a,dst=/b,ro,bind-recursive=readonly,bind-propagation=rprivate",
    "--mount type=volume,src=v,dst=/v,volume-nocopy,volume-driver=d,volume-opt=a=b,volume-label=l=m,volume-subpath=s",
    "--mount type=tmpfs,dst=/t,tmpfs-size=1.5m,tmpfs-mode=1770",
    "--mount dst=/only --mount type=image,src=busybox,dst=/i,image-subpath=p",
    "--mount \"type=bind\",\"src=/with,comma\",dst=/b",
    "--tmpfs /run --tmpfs /tmp:size=64m,mode=1777",
    "--volumes-from other:ro --volume-driver d",
    "--network none",
    "--net host",
    "--network container:other",
    "--network back --network-alias db --ip 10.0.0.5 --ip6 fd00::5 --link a:b --link-local-ip 169.254.1.1",
    "--network back --network front",
    "--network name=back,alias=x,alias=y,ip=10.0.0.5,driver-opt=com.example.a=b,gw-priority=3,mac-address=02:42:ac:11:00:02",
    "--mac-address 92:d0:c6:0a:29:33",
    "--ip 10.0.0.5 --link other",
    "--network bridge --dns 1.1.1.1 --dns ::1 --dns-search example.org --dns-opt ndots:1 --dns-option debug",
    "--add-host one:1.2.3.4 --add-host two=::1 --add-host three:[::2] --add-host gate:host-gateway",
    "-m 20m --memory-reservation 10M --memory-swap 1.5gb --memory-swappiness 10",
    "--memory-swap -1 --shm-size 64MiB --oom-kill-disable --oom-score-adj -500 --pids-limit -1",
    "--cpus 1.5 --cpu-shares 512 --cpuset-cpus 0-1 --cpuset-mems 0 --pids-limit 100",
    "-c 0x10 --cpu-period 100000 --cpu-quota 50000 --cpu-rt-period 1000 --cpu-rt-runtime 500 --cpus .25",
    "--blkio-weight 500 --blkio-weight-device /dev/sda:200 --device-read-bps /dev/sda:1mb --device-write-bps /dev/sda:2048",
    "--device-read-iops /dev/sda:100 --device-write-iops /dev/sdb:200",
    "--device /dev/null --device /dev/zero:/dev/nil --device /dev/full:rw --device /dev/fuse:/dev/f:r",
    "--device vendor.com/class=name --device-cgroup-rule c_42:*_rmw",
    "--cap-add net_admin --cap-add CAP_SYS_TIME --cap-drop all --cap-drop mknod",
    "--cap-add ALL --cap-add chown --cap-drop chown --cap-drop kill",
    "--security-opt no-new-privileges --security-opt apparmor=unconfined --security-opt label:disable",
    "--security-opt seccomp={}/profile.json --security-opt systempaths=unconfined",
    "--security-opt seccomp=unconfined --cgroup-parent /parent --cgroupns private",
    "--ulimit nofile=1024:2048 --ulimit core=0 --ulimit nofile=5:6 --ulimit memlock=-1:-1",
    "--sysctl net.ipv4.ip_forward=1 --sysctl kernel.shmmax=5",
    "--restart always",
    "--restart on-failure:3",
    "--restart unless-stopped --stop-signal TERM --stop-timeout 0",
    "--stop-timeout=-1 --rm=false --restart no",
    "--health-cmd true --health-interval 1m30s --health-timeout 500ms --health-retries 3 --health-start-period 1h --health-start-interval 1.5s",
    "--no-healthcheck",
    "--log-driver json-file --log-opt max-size=1m --log-opt flag",
    "--log-driver none",
    "--pid host --ipc container:x --uts host --userns host --runtime runc --group-add 4 --group-add audio",
    "--pid container:other --ipc shareable --cgroupns host",
    "--storage-opt size=1G --cidfile {}/cid",
    "--detach-does-not-exist-here=x",
];

/// What the two clients are run with besides the flags.
const VARIABLES: &[(&str, &str)] = &[("INHERITED", "from the client"), ("HOME", "/home/ada")];

struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("tare-cli-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        std::fs::write(
            path.join("variables"),
            "# comment\nFILE=one\n  INHERITED\nMISSING\nX=a b=c \n",
        )
        .unwrap();
        std::fs::write(path.join("labels"), "from=file\nbare\n").unwrap();
        std::fs::write(
            path.join("profile.json"),
            "{ \"defaultAction\" : \"SCMP_ACT_ALLOW\" }\n",
        )
        .unwrap();
        Self(path)
    }

    fn words(&self, case: &str) -> Vec<String> {
        let place = self.0.to_str().unwrap();
        // A value with spaces in it is written with underscores.
        case.split(' ')
            .filter(|word| !word.is_empty())
            .map(|word| word.replace("{}", place))
            .map(|word| {
                if word.starts_with("c_") {
                    word.replace('_', " ")
                } else {
                    word
                }
            })
            .chain(["busybox", "sh", "-c", "--flag of its own"].map(str::to_owned))
            .collect()
    }

    /// The body with the directory's name taken out again.
    fn neutral(&self, body: &str) -> Value {
        let up = self.0.parent().unwrap().to_str().unwrap();
        let text = body
            .replace(self.0.to_str().unwrap(), "{}")
            .replace(&format!("{up}/up"), "{}/../up");
        pruned(serde_json::from_str(&text).unwrap(), "")
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}

/// A body without the fields that mean the same as not being there. Fields
/// that Go has behind a pointer keep their zeros, maps of data their entries.
fn pruned(value: Value, name: &str) -> Value {
    const POINTERS: &[&str] = &[
        "Init",
        "PidsLimit",
        "OomKillDisable",
        "MemorySwappiness",
        "StopTimeout",
        "MaskedPaths",
        "ReadonlyPaths",
    ];
    const DATA: &[&str] = &[
        "ExposedPorts",
        "Volumes",
        "Labels",
        "Tmpfs",
        "Annotations",
        "Sysctls",
        "StorageOpt",
        "Config",
        "EndpointsConfig",
        "PortBindings",
        "DriverOpts",
        "Options",
    ];
    let empty = |value: &Value| match value {
        Value::Null | Value::Bool(false) => true,
        Value::Number(number) => number.as_i64() == Some(0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Bool(true) => false,
    };
    match value {
        Value::Object(fields) => fields
            .into_iter()
            .map(|(key, value)| {
                let value = pruned(value, &key);
                (key, value)
            })
            .filter(|(key, value)| {
                DATA.contains(&name)
                    || !empty(value)
                    || (POINTERS.contains(&key.as_str()) && !value.is_null())
            })
            .collect(),
        Value::Array(items) => {
            let mut items: Vec<Value> = items.into_iter().map(|item| pruned(item, "")).collect();
            // Docker's client keeps these in a map, in no order.
            if matches!(name, "Binds" | "Env" | "Ulimits" | "Dns") {
                items.sort_by_key(Value::to_string);
            }
            Value::Array(items)
        }
        other => other,
    }
}

fn variable(name: &str) -> Option<String> {
    VARIABLES
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, value)| (*value).to_owned())
}

/// Our body, or why there is none.
fn ours(words: &[String], directory: &Path) -> Result<String, String> {
    let matches = match parse(&COMMAND, "tare create", words) {
        Ok(Parsed::Run(matches)) => matches,
        Ok(Parsed::Help) => return Err("help".to_owned()),
        Err(error) => return Err(error.to_string()),
    };
    let surroundings = Surroundings {
        variable: &variable,
        directory: Some(directory.to_owned()),
    };
    create_request(&matches, &surroundings)
        .map(|request| serde_json::to_string(&request).unwrap())
        .map_err(|error| error.to_string())
}

#[test]
fn bodies_are_those_of_docker_s_client() {
    let directory = Directory::new("bodies");
    let record: BTreeMap<String, Value> = serde_json::from_str(RECORD).unwrap();
    let mut different = Vec::new();
    for case in CASES {
        let body = ours(&directory.words(case), &directory.0).map(|body| directory.neutral(&body));
        match (
            body,
            record
                .get(*case)
                .unwrap_or_else(|| panic!("{case:?} is not in the record")),
        ) {
            (Ok(body), recorded) if body == *recorded => {}
            (Err(_), Value::Null) => {}
            (body, recorded) => different.push(format!(
                "{case}\n    ours:   {body:?}\n    docker: {recorded}"
            )),
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
    assert_eq!(record.len(), CASES.len());
}

#[test]
fn the_record_is_what_docker_s_client_28_sends() {
    let version = std::process::Command::new("docker")
        .args(["--version"])
        .output();
    let is_28 = version.is_ok_and(|output| {
        String::from_utf8_lossy(&output.stdout).starts_with("Docker version 28.")
    });
    if !is_28 {
        // Without that very client the recorded bodies stand for it.
        return;
    }
    let directory = Directory::new("record");
    let recorded: BTreeMap<String, Value> = CASES
        .iter()
        .map(|case| ((*case).to_owned(), docker_s(&directory, case)))
        .collect();
    if std::env::var_os("TARE_RECORD").is_some() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/src/container/options/tests/docker-28.json"
        );
        std::fs::write(
            path,
            serde_json::to_string_pretty(&recorded).unwrap() + "\n",
        )
        .unwrap();
        return;
    }
    let record: BTreeMap<String, Value> = serde_json::from_str(RECORD).unwrap();
    for (case, body) in recorded {
        assert_eq!(Some(&body), record.get(&case), "{case}");
    }
}

/// The body that Docker's client sends, null when it refuses.
fn docker_s(directory: &Directory, case: &str) -> Value {
    let socket = directory.0.join("engine.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    let mut client = std::process::Command::new("docker")
        .arg("-H")
        .arg(format!("unix://{}", socket.display()))
        .arg("create")
        .args(directory.words(case))
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .envs(VARIABLES.iter().copied())
        .current_dir(&directory.0)
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    listener.set_nonblocking(true).unwrap();
    let mut body = None;
    loop {
        match listener.accept() {
            Ok((stream, _)) => body = answer(stream).or(body),
            Err(_) if client.try_wait().unwrap().is_some() => break,
            Err(_) => std::thread::sleep(std::time::Duration::from_millis(2)),
        }
    }
    drop(listener);
    std::fs::remove_file(&socket).unwrap();
    drop(std::fs::remove_file(directory.0.join("cid")));
    body.map_or(Value::Null, |body| directory.neutral(&body))
}

/// Answers the request on one connection as an engine would, and closes it;
/// returns the body of the create.
fn answer(stream: UnixStream) -> Option<String> {
    stream.set_nonblocking(false).unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut stream = stream;
    let mut line = String::new();
    if reader.read_line(&mut line).unwrap_or(0) == 0 {
        return None;
    }
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).unwrap();
        if header.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = header.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let create = line.contains("/containers/create");
    let (status, content) = if create {
        ("201 Created", "{\"Id\":\"0\",\"Warnings\":[]}")
    } else {
        ("200 OK", "")
    };
    write!(
        stream,
        "HTTP/1.1 {status}\r\nApi-Version: 1.50\r\nOstype: linux\r\nContent-Type: application/json\r\n\
         Connection: close\r\nContent-Length: {}\r\n\r\n{content}",
        content.len()
    )
    .unwrap();
    create.then(|| String::from_utf8(body).unwrap())
}

#[test]
fn nonsense_is_refused_in_docker_s_words() {
    let directory = Directory::new("nonsense");
    let cases = [
        ("-Z", "unknown shorthand flag: 'Z' in -Z"),
        ("--foo", "unknown flag: --foo"),
        (
            "--cpus abc",
            "invalid argument \"abc\" for \"--cpus\" flag: failed to parse abc as a rational number",
        ),
        (
            "--cpus 1.23456789012",
            "invalid argument \"1.23456789012\" for \"--cpus\" flag: value is too precise",
        ),
        (
            "-m abc",
            "invalid argument \"abc\" for \"-m, --memory\" flag: invalid size: 'abc'",
        ),
        (
            "-m 1x",
            "invalid argument \"1x\" for \"-m, --memory\" flag: invalid suffix: 'x'",
        ),
        (
            "-m 1kbb",
            "invalid argument \"1kbb\" for \"-m, --memory\" flag: invalid suffix: 'kbb'",
        ),
        (
            "-m -1",
            "invalid argument \"-1\" for \"-m, --memory\" flag: invalid size: '-1'",
        ),
        (
            "--rm=maybe",
            "invalid argument \"maybe\" for \"--rm\" flag: strconv.ParseBool: parsing \"maybe\": invalid syntax",
        ),
        (
            "-e =x",
            "invalid argument \"=x\" for \"-e, --env\" flag: invalid environment variable: =x",
        ),
        (
            "--stop-timeout a",
            "invalid argument \"a\" for \"--stop-timeout\" flag: strconv.ParseInt: parsing \"a\": invalid syntax",
        ),
        (
            "--blkio-weight 70000",
            "invalid argument \"70000\" for \"--blkio-weight\" flag: strconv.ParseUint: parsing \"70000\": value out of range",
        ),
        (
            "--health-interval 3",
            "invalid argument \"3\" for \"--health-interval\" flag: time: missing unit in duration \"3\"",
        ),
        (
            "--health-interval 1x",
            "invalid argument \"1x\" for \"--health-interval\" flag: time: unknown unit \"x\" in duration \"1x\"",
        ),
        (
            "--health-interval x",
            "invalid argument \"x\" for \"--health-interval\" flag: time: invalid duration \"x\"",
        ),
        (
            "--health-interval -1s",
            "--health-interval cannot be negative",
        ),
        ("--health-retries -1", "--health-retries cannot be negative"),
        (
            "--health-cmd x --no-healthcheck",
            "--no-healthcheck conflicts with --health-* options",
        ),
        (
            "--memory-swappiness 200",
            "invalid value: 200. Valid memory swappiness range is 0-100",
        ),
        ("-p abc", "invalid containerPort: abc"),
        ("-p 99999:80", "invalid hostPort: 99999"),
        ("-p 80:90:100:200", "invalid IP address: 80:90"),
        ("-p 80:80/foo", "invalid proto: foo"),
        (
            "--restart always --rm",
            "conflicting options: cannot specify both --restart and --rm",
        ),
        (
            "--restart on-failure:x",
            "invalid restart policy format: maximum retry count must be an integer",
        ),
        (
            "--restart :3",
            "invalid restart policy format: no policy provided before colon",
        ),
        (
            "--add-host x",
            "invalid argument \"x\" for \"--add-host\" flag: bad format for add-host: \"x\"",
        ),
        (
            "--ulimit x",
            "invalid argument \"x\" for \"--ulimit\" flag: invalid ulimit argument: x",
        ),
        (
            "--ulimit foo=3",
            "invalid argument \"foo=3\" for \"--ulimit\" flag: invalid ulimit type: foo",
        ),
        (
            "--ulimit nofile=5:3",
            "invalid argument \"nofile=5:3\" for \"--ulimit\" flag: ulimit soft limit must be less than or equal to hard limit: 5 > 3",
        ),
        (
            "--dns x",
            "invalid argument \"x\" for \"--dns\" flag: IP address is not correctly formatted: x",
        ),
        (
            "--dns-search a..b",
            "invalid argument \"a..b\" for \"--dns-search\" flag: a..b is not a valid domain",
        ),
        ("--device foo", "foo is not an absolute path"),
        ("--device /dev/a:/dev/b:z", "bad mode specified: z"),
        ("--device /dev/null:rwx", "rwx is not an absolute path"),
        (
            "--device-cgroup-rule x",
            "invalid argument \"x\" for \"--device-cgroup-rule\" flag: invalid device cgroup format 'x'",
        ),
        (
            "--sysctl a=b",
            "invalid argument \"a=b\" for \"--sysctl\" flag: sysctl 'a=b' is not allowed",
        ),
        ("--storage-opt x", "invalid storage option"),
        ("--userns x", "--userns: invalid USER mode"),
        ("--pid x", "--pid: invalid PID mode"),
        ("--pid container:", "--pid: invalid PID mode"),
        ("--uts x", "--uts: invalid UTS mode"),
        ("--cgroupns x", "--cgroupns: invalid CGROUP mode"),
        (
            "--mount x",
            "invalid argument \"x\" for \"--mount\" flag: invalid field 'x' must be a key=value pair",
        ),
        (
            "--mount type=bind,src=x",
            "invalid argument \"type=bind,src=x\" for \"--mount\" flag: target is required",
        ),
        (
            "--mount type=bind,dst=/x,foo=1",
            "invalid argument \"type=bind,dst=/x,foo=1\" for \"--mount\" flag: unexpected key 'foo' in 'foo=1'",
        ),
        (
            "--mount type=bind,src=/a,dst=/b,volume-nocopy",
            "invalid argument \"type=bind,src=/a,dst=/b,volume-nocopy\" for \"--mount\" flag: cannot mix 'volume-*' options with mount type 'bind'",
        ),
        (
            "--mount dst=/x,readonly=foo",
            "invalid argument \"dst=/x,readonly=foo\" for \"--mount\" flag: invalid value for readonly: foo",
        ),
        (
            "--link x:y:z",
            "invalid argument \"x:y:z\" for \"--link\" flag: bad format for links: x:y:z",
        ),
        (
            "--label =x",
            "invalid argument \"=x\" for \"-l, --label\" flag: invalid label '=x': empty name",
        ),
        (
            "--attach foo",
            "invalid argument \"foo\" for \"-a, --attach\" flag: valid streams are STDIN, STDOUT and STDERR",
        ),
        (
            "--network-alias x",
            "network-scoped aliases are only supported for user-defined networks",
        ),
        ("--network=", "no name set for network"),
        (
            "--network alias=x",
            "invalid argument \"alias=x\" for \"--network\" flag: network name/id is not specified",
        ),
        (
            "--network name=x,foo=bar",
            "invalid argument \"name=x,foo=bar\" for \"--network\" flag: invalid field key foo",
        ),
        (
            "--network x --network x",
            "network \"x\" is specified multiple times",
        ),
        (
            "--network x --network host",
            "conflicting options: cannot attach both user-defined and non-user-defined network-modes",
        ),
        ("--mac-address x", "x is not a valid mac address"),
        (
            "--env-file /no/such/file",
            "open /no/such/file: no such file or directory",
        ),
        ("--security-opt foo", "Invalid --security-opt: \"foo\""),
        (
            "--log-driver none --log-opt a=b",
            "invalid logging opts for driver none",
        ),
        ("--volume=", "invalid empty volume spec"),
        (
            "--blkio-weight-device x",
            "invalid argument \"x\" for \"--blkio-weight-device\" flag: bad format: x",
        ),
    ];
    for (case, wanted) in cases {
        assert_eq!(
            ours(&directory.words(case), &directory.0).unwrap_err(),
            wanted,
            "{case}"
        );
    }
    for flag in [
        "--gpus all",
        "--isolation hyperv",
        "--use-api-socket",
        "--cpu-count 2",
        "--io-maxbandwidth 1m",
    ] {
        let name = flag.split(' ').next().unwrap();
        assert!(
            ours(&directory.words(flag), &directory.0)
                .unwrap_err()
                .contains(name),
            "{flag}"
        );
    }
}
