use super::*;

#[test]
fn options_are_sorted_as_mount_8_means_them() {
    let parsed = MountOptions::parse(&[
        "rbind",
        "ro",
        "nosuid",
        "suid",
        "rro",
        "relatime",
        "rprivate",
        "size=64k",
        "newinstance",
    ]);
    assert_eq!(parsed.bind, Some(true));
    assert_eq!(parsed.attributes.set, Attributes::RDONLY);
    assert_eq!(
        parsed.attributes.clear,
        Attributes::RDONLY | Attributes::NOSUID | Attributes::ATIME
    );
    assert_eq!(parsed.recursive.set, Attributes::RDONLY);
    assert_eq!(parsed.propagation, [(Attributes::PRIVATE, true)]);
    assert_eq!(
        parsed.data,
        [
            ("size".to_owned(), Some("64k".to_owned())),
            ("newinstance".to_owned(), None)
        ]
    );
}

#[test]
fn words_that_merely_begin_with_r_are_not_recursive() {
    let cases: [(&str, Attributes, Attributes); 4] = [
        (
            "relatime",
            Attributes {
                set: 0,
                clear: Attributes::ATIME,
                propagation: 0,
            },
            Attributes::default(),
        ),
        (
            "rrelatime",
            Attributes::default(),
            Attributes {
                set: 0,
                clear: Attributes::ATIME,
                propagation: 0,
            },
        ),
        (
            "ro",
            Attributes {
                set: Attributes::RDONLY,
                clear: Attributes::RDONLY,
                propagation: 0,
            },
            Attributes::default(),
        ),
        (
            "rnoexec",
            Attributes::default(),
            Attributes {
                set: Attributes::NOEXEC,
                clear: Attributes::NOEXEC,
                propagation: 0,
            },
        ),
    ];
    for (option, attributes, recursive) in cases {
        let parsed = MountOptions::parse(&[option]);
        assert_eq!(
            (parsed.attributes, parsed.recursive),
            (attributes, recursive),
            "{option}"
        );
    }
}

#[test]
fn the_table_is_sorted_and_complete() {
    assert!(NAMES.is_sorted(), "{NAMES:?}");
    // config.md of the runtime specification 1.2, "Linux mount options".
    for option in "async atime bind defaults dev diratime dirsync exec iversion lazytime loud mand \
                   noatime nodev nodiratime noexec noiversion nolazytime nomand norelatime \
                   nostrictatime nosuid nosymfollow private ratime rbind rdev rdiratime relatime \
                   remount rexec rnoatime rnodiratime rnoexec rnorelatime rnostrictatime rnosuid \
                   rnosymfollow ro rprivate rrelatime rro rrw rshared rslave rstrictatime rsuid \
                   rsymfollow runbindable rw shared silent slave strictatime suid symfollow sync \
                   tmpcopyup unbindable idmap ridmap rnodev"
        .split_whitespace()
    {
        assert!(NAMES.contains(&option), "{option}");
        assert_eq!(MountOptions::parse(&[option]).data, [], "{option}");
    }
}

#[test]
fn a_later_option_takes_back_an_earlier_one() {
    let parsed = MountOptions::parse(&["strictatime", "nostrictatime", "sync", "async"]);
    assert_eq!(parsed.attributes.set, 0);
    let names: Vec<_> = parsed.super_block.iter().map(|flag| &flag.name).collect();
    assert_eq!(names, ["sync", "async"]);
    assert_eq!(parsed.first_of_file_system(), Some("sync"));
    let parsed = MountOptions::parse(&["async", "loud", "defaults", "rw"]);
    assert_eq!(parsed.first_of_file_system(), None);
}
