use super::*;

#[test]
fn libraries_that_have_a_path() {
    let text = "\
\tlinux-vdso.so.1 (0x00007f759c756000)
\tlibmnl.so.0 => /lib/x86_64-linux-gnu/libmnl.so.0 (0x00007f501f30f000)
\t/lib64/ld-linux-x86-64.so.2 (0x00007f501f497000)
\tstatically linked
";
    let expected: [PathBuf; 2] = [
        "/lib/x86_64-linux-gnu/libmnl.so.0".into(),
        "/lib64/ld-linux-x86-64.so.2".into(),
    ];
    assert_eq!(libraries(text), expected);
}
