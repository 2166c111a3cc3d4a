use super::*;

/// The default filter's program for some capabilities, and what it says.
fn verdict(capabilities: &[&str], audit: u32, number: u32, arguments: [u64; 6]) -> u32 {
    let filter = crate::seccomp::compile(&seccomp(capabilities)).expect("compiles");
    crate::seccomp::interpret::run(&filter.program, audit, number, arguments)
}

const X86_64: u32 = 0xc000_003e;
const I386: u32 = 0x4000_0003;
const ALLOW: u32 = 0x7fff_0000;
const EPERM: u32 = 0x0005_0001;
const ENOSYS: u32 = 0x0005_0026;

/// The first number of each range with one verdict when all arguments are 0:
/// `.` allowed, `-` refused with EPERM, `!` with ENOSYS.
fn map(capabilities: &[&str], audit: u32) -> String {
    let filter = crate::seccomp::compile(&seccomp(capabilities)).expect("compiles");
    let mut text = String::new();
    let mut start = 0;
    let mut last = None;
    for number in 0..=500u32 {
        let found = match crate::seccomp::interpret::run(&filter.program, audit, number, [0; 6]) {
            ALLOW => '.',
            EPERM => '-',
            ENOSYS => '!',
            other => panic!("verdict {other:#x} on {number}"),
        };
        if last != Some(found) {
            if let Some(last) = last {
                text.push_str(&format!("{last}{start} "));
            }
            start = number;
            last = Some(found);
        }
    }
    if let Some(last) = last {
        text.push_str(&format!("{last}{start}"));
    }
    text
}
/// Compared once, number by number and with many arguments, with what
/// libseccomp makes of Docker's profile; a change here is a change of what
/// containers may do.
#[test]
fn the_default_filter_allows_what_dockers_allows() {
    let x86_64 = ".0 -103 .104 -134 .135 -136 .137 -139 .140 -153 .154 -155 .157 -163 .186 -212 \
        .213 -227 .228 -236 .240 -246 .247 -248 .251 -256 .257 -272 .273 -279 .280 -298 .299 -300 \
        .301 -304 .305 -308 .309 -312 .314 -320 .322 -323 .324 -336 .424 -425 .434 !435 .436 -438 \
        .439 -440 .441 -442 .444 -450 .451 -459 .462 !467";
    let x86 = ".0 -17 .19 -21 .23 -25 .26 -28 .29 -31 .33 -34 .36 -44 .45 -48 .49 -51 .54 -56 .57 \
        -58 .60 -62 .63 -67 .70 -72 .75 -79 .80 -84 .85 -86 .90 -98 .99 -101 .102 -103 .104 -109 \
        .114 -115 .116 -121 .122 -127 .132 -134 .136 -137 .138 -149 .150 -166 .168 -169 .170 -188 \
        .190 -217 .218 -222 .224 -251 .252 -253 .254 -264 .265 -273 .277 -283 .284 -285 .289 -294 \
        .295 -310 .311 -317 .318 -336 .337 -338 .339 -342 .343 -346 .347 -349 .351 -357 .358 -374 \
        .375 -387 .393 -404 .405 -415 .416 -425 .434 !435 .436 -438 .439 -440 .441 -442 .444 -450 \
        .451 -459 .462 !467";
    assert_eq!(map(&CAPABILITIES, X86_64), x86_64);
    assert_eq!(map(&CAPABILITIES, I386), x86);
}

#[test]
fn arguments_and_capabilities_decide_where_dockers_profile_says_so() {
    const SOCKET: u32 = 41;
    const CLONE: u32 = 56;
    const PERSONALITY: u32 = 135;
    const MOUNT: u32 = 165;
    const CLONE3: u32 = 435;
    const ADMIN: &[&str] = &["CAP_SYS_ADMIN"];
    let cases: [(&[&str], u32, u64, u32); 20] = [
        (&CAPABILITIES, SOCKET, 2, ALLOW),
        (&CAPABILITIES, SOCKET, 37, ALLOW),
        (&CAPABILITIES, SOCKET, 38, EPERM),
        (&CAPABILITIES, SOCKET, 39, ALLOW),
        (&CAPABILITIES, SOCKET, 40, EPERM),
        (&CAPABILITIES, SOCKET, 41, ALLOW),
        (&CAPABILITIES, SOCKET, 1 << 32 | 38, EPERM),
        (&CAPABILITIES, CLONE, 17, ALLOW),
        (&CAPABILITIES, CLONE, 0x1000_0000, EPERM),
        (&CAPABILITIES, CLONE, 0x0002_0000, EPERM),
        (&CAPABILITIES, CLONE, 0x0200_0011, EPERM),
        (ADMIN, CLONE, 0x1000_0000, ALLOW),
        (&CAPABILITIES, CLONE3, 0, ENOSYS),
        (ADMIN, CLONE3, 0, ALLOW),
        (&CAPABILITIES, PERSONALITY, 0, ALLOW),
        (&CAPABILITIES, PERSONALITY, 0xffff_ffff, ALLOW),
        (&CAPABILITIES, PERSONALITY, 0x4_0000, EPERM),
        (&CAPABILITIES, MOUNT, 0, EPERM),
        (ADMIN, MOUNT, 0, ALLOW),
        (&[], 161, 0, EPERM), // chroot
    ];
    for (capabilities, number, first, expected) in cases {
        let found = verdict(capabilities, X86_64, number, [first, 0, 0, 0, 0, 0]);
        assert_eq!(found, expected, "{number} {first:#x} {capabilities:?}");
    }
}
