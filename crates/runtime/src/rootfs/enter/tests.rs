use super::*;

#[test]
fn only_mounts_of_our_own_are_taken_off() {
    let host = "20 1 254:0 / / rw - ext4 /dev/vda rw\n21 20 0:9 / /run rw - tmpfs tmpfs rw\n";
    for (lines, place, own) in [
        ("", "/bundle/root", false),
        (
            "30 20 254:0 /bundle/root /bundle/root rw - ext4 /dev/vda rw",
            "/bundle/root",
            true,
        ),
        (
            "30 20 254:0 /bundle/a\\040b /bundle/a\\040b rw - ext4 /dev/vda rw",
            "/bundle/a b",
            true,
        ),
        (
            "30 20 254:0 /other /bundle/root rw - ext4 /dev/vda rw",
            "/bundle/root",
            false,
        ),
        ("30 21 0:9 /x /run/x rw - tmpfs tmpfs rw", "/run/x", true),
        (
            "30 20 0:50 / /bundle/root rw - overlay overlay rw,upperdir=/u",
            "/bundle/root",
            false,
        ),
        (
            "30 20 0:50 / /bundle/root rw - overlay overlay rw,upperdir=/u\n31 30 0:50 / /bundle/root rw - overlay overlay rw,upperdir=/u",
            "/bundle/root",
            true,
        ),
        (
            "30 20 0:50 / /u rw - overlay overlay rw,lowerdir=/l,upperdir=/u",
            "/u",
            true,
        ),
    ] {
        assert_eq!(is_own(&format!("{host}{lines}\n"), place), own, "{lines}");
    }
}
