use super::*;

#[test]
fn counters_of_block_devices_are_read_in_every_form() {
    let entry = |op: &str, value| BlockIoEntry {
        major: 8,
        minor: 16,
        op: op.to_owned(),
        value,
    };
    assert_eq!(
        legacy::entries("8:16 Read 4096\n8:16 Write 5\nTotal 4101\nbad\n"),
        [entry("Read", 4096), entry("Write", 5)]
    );
    assert_eq!(legacy::entries("8:16 7\n"), [entry("", 7)]);
    let mut found = BlockIo::default();
    unified::entries(
        "8:16 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6\nbad\n9:x rbytes=1\n",
        &mut found,
    );
    assert_eq!(
        found.io_service_bytes_recursive,
        [entry("Read", 1), entry("Write", 2), entry("Discard", 5)]
    );
    assert_eq!(
        found.io_serviced_recursive,
        [entry("Read", 3), entry("Write", 4), entry("Discard", 6)]
    );
}

#[test]
fn pressure_is_read_or_left_out() {
    let directory = std::env::temp_dir().join(format!("tare-pressure-{}", std::process::id()));
    std::fs::create_dir_all(&directory).expect("a directory");
    std::fs::write(
        directory.join("cpu.pressure"),
        "some avg10=1.50 avg60=0.20 avg300=0.00 total=77\n\
         full avg10=0.00 avg60=0.00 avg300=0.00 total=5\n",
    )
    .expect("a file");
    let pressure = parse::pressure(&directory, "cpu.pressure").expect("pressure");
    assert_eq!((pressure.some.avg10, pressure.some.total), (1.5, 77));
    assert_eq!(pressure.full.total, 5);
    assert_eq!(parse::pressure(&directory, "io.pressure"), None);
    std::fs::remove_dir_all(&directory).expect("removes");
}
