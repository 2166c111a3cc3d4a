use super::{parse, patterns};

const MAP: &str = "\
             VMA              LMA     Size Align Out     In      Symbol
          200000           200000      100     1 .rodata
          300000           300000      900    16 .text
          300000           300000       20    16         /usr/lib/gcc/12/libc.a(malloc.o):(.text)
          300000           300000       20     1                 malloc
          300020           300020       18    16         /t/deps/tare-5c831caa86aaf87e.tare_runtime.42-cgu.1.rcgu.o.rcgu.o:(.text._ZN5state8check_id17h258567d39036ef92E.llvm.34707)
          300038           300038       28     8         /t/deps/tare-5c831caa86aaf87e.std.42-cgu.0.rcgu.o.rcgu.o:(.text._RNvMs3_Nt_3std.llvm.34707)
          300060           300060       20    16         /t/deps/tare-5c831caa86aaf87e.aaqt6n1kv3wiqckw.rcgu.o:(.text.main)
          300080           300080       20    16         /t/deps/libaws_lc_sys-ea32.rlib(c18-crypto.o):(.text.startup.do_library_init)
          3000a0           3000a0       20    16         /usr/lib/libm-2.36.a(s_floor.o):(.text)
          3000c0           3000c0       20    16         /t/deps/tare-5c831caa86aaf87e.core.42-cgu.0.rcgu.o.rcgu.o:(.text._ZN66_$LT$T$GT$3get17h258567d39036ef92E)
";

#[test]
fn executed_sections_by_what_stays_the_same() {
    let sections = parse(MAP);
    assert_eq!(sections.len(), 7);
    let executed = "300010\n300030\n300060\n300080\n3000a0\n3000d0\n400000\n";
    assert_eq!(
        patterns(&sections, executed),
        [
            "*libc*.a:malloc.o(.text .text.*)",
            "*.tare_runtime.*.rcgu.o(.text._ZN5state8check_id17h*)",
            "*.std.*.rcgu.o(.text._RNvMs3_Nt_3std*)",
            "*(.text.main)",
            "*libaws_lc_sys-*:*(.text.startup.do_library_init)",
            "*libm*.a:s_floor.o(.text .text.*)",
            "*.core.*.rcgu.o(.text._ZN66_?LT?T?GT?3get17h*)",
        ]
    );
}

#[test]
fn nothing_from_another_linkers_map() {
    assert!(parse(" .text.main\n                0x0000000000401000       0x20 a.o\n").is_empty());
}
