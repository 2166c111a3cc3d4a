use super::*;

/// Directories and files as the kernel has them; removed in the end.
struct Fake {
    root: PathBuf,
}

impl Fake {
    fn new(name: &str) -> Fake {
        let root = std::env::temp_dir().join(format!("tare-resctrl-{}-{name}", std::process::id()));
        let fake = Fake { root };
        fake.write("tasks", "1\n2\n");
        fake.write("schemata", "    MB:0= 100;1= 100\n    L3:0=fffff;1=fffff\n");
        fake.write("info/last_cmd_status", "ok\n");
        fake.write(
            "info/L3_MON/mon_features",
            "llc_occupancy\nmbm_total_bytes\n",
        );
        fake
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().expect("a directory")).expect("made");
        fs::write(path, text).expect("written");
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.root.join(path)).unwrap_or_else(|error| format!("{path}: {error}"))
    }

    fn has(&self, path: &str) -> bool {
        self.root.join(path).exists()
    }

    /// The kernel removes its own files with a directory.
    fn clear(&self, directory: &str) {
        for file in ["tasks", "schemata"] {
            let _ = fs::remove_file(self.root.join(directory).join(file));
        }
    }

    fn make(&self, rdt: &IntelRdt) -> Result<Place, String> {
        Resctrl::at(self.root.clone())
            .make(rdt, "box")
            .map_err(|error| error.to_string())
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.root);
    }
}

fn class(name: &str) -> IntelRdt {
    IntelRdt {
        class_id: Some(name.to_owned()),
        ..IntelRdt::default()
    }
}

#[test]
fn a_class_of_the_containers_own_is_made_and_removed() {
    let fake = Fake::new("own");
    let rdt = IntelRdt {
        l3_cache_schema: Some("L3:0=7f0;1=1f".to_owned()),
        mem_bw_schema: Some("MB:0=20;1=70".to_owned()),
        schemata: vec!["L2:0=f".to_owned()],
        ..IntelRdt::default()
    };
    let place = fake.make(&rdt).expect("makes");
    assert_eq!(
        fake.read("box/schemata"),
        "L3:0=7f0;1=1f\nMB:0=20;1=70\nL2:0=f\n"
    );
    place.enter(4711).expect("enters");
    assert_eq!(fake.read("box/tasks"), "4711\n");
    fake.clear("box");
    place.remove().expect("removes");
    place.remove().expect("removes again");
    assert!(!fake.has("box"));
    assert_eq!(fake.read("tasks"), "1\n2\n", "the root's are nobody's");
}

#[test]
fn without_a_schema_nothing_is_written() {
    let fake = Fake::new("bare");
    let place = fake.make(&IntelRdt::default()).expect("makes");
    assert!(fake.has("box") && !fake.has("box/schemata"));
    place.remove().expect("removes");
    assert!(!fake.has("box"));
}

#[test]
fn a_leftover_is_taken_over_unless_it_is_in_use() {
    let fake = Fake::new("leftover");
    fake.write("box/tasks", "");
    let place = fake.make(&IntelRdt::default()).expect("takes it over");
    fake.clear("box");
    place.remove().expect("removes");
    assert!(!fake.has("box"));
    fake.write("box/tasks", "99\n");
    let error = fake.make(&IntelRdt::default()).expect_err("in use");
    assert!(error.starts_with("linux.intelRdt: "), "{error}");
    assert_eq!(fake.read("box/tasks"), "99\n");
}

#[test]
fn a_class_made_by_somebody_else_is_joined_as_it_is() {
    let fake = Fake::new("shared");
    let error = fake.make(&class("gold")).expect_err("not there");
    assert!(error.starts_with("linux.intelRdt.closID: "), "{error}");
    assert!(!fake.has("gold"));

    fake.write("gold/tasks", "");
    fake.write("gold/schemata", "    MB:0= 100\n    L3:0=007f0;1=0001f\n");
    let place = fake.make(&class("gold")).expect("joins");
    place.enter(7).expect("enters");
    assert_eq!(fake.read("gold/tasks"), "7\n");
    fake.write("gold/tasks", "");
    place.remove().expect("leaves it");
    assert!(fake.has("gold"));

    let same = IntelRdt {
        l3_cache_schema: Some("L3:0=7f0;1=1F".to_owned()),
        mem_bw_schema: Some("MB:0=100".to_owned()),
        ..class("gold")
    };
    fake.make(&same).expect("is the same");
    let other = IntelRdt {
        l3_cache_schema: Some("L3:0=7f0;1=3f".to_owned()),
        ..class("gold")
    };
    let error = fake.make(&other).expect_err("differs");
    assert!(error.contains("L3:1=3f is not what"), "{error}");
    assert!(fake.read("gold/schemata").contains("0001f"));
}

#[test]
fn a_named_class_stays_while_others_are_in_it() {
    let fake = Fake::new("last");
    let rdt = IntelRdt {
        l3_cache_schema: Some("L3:0=f".to_owned()),
        ..class("silver")
    };
    let first = fake.make(&rdt).expect("makes");
    fake.write("silver/tasks", "8\n");
    let second = fake.make(&rdt).expect("joins");
    first.remove().expect("leaves it");
    assert!(fake.has("silver/tasks"));
    assert!(!second.made);
    fake.clear("silver");
    first.remove().expect("removes");
    assert!(!fake.has("silver"));
}

#[test]
fn the_first_class_is_never_changed_or_removed() {
    let fake = Fake::new("root");
    let place = fake.make(&class("/")).expect("joins");
    place.remove().expect("leaves it");
    let rdt = IntelRdt {
        l3_cache_schema: Some("L3:0=f".to_owned()),
        ..class("/")
    };
    fake.make(&rdt).expect_err("differs");
    assert!(fake.read("schemata").contains("L3:0=fffff"));
}

#[test]
fn counters_of_its_own() {
    let fake = Fake::new("counters");
    fake.write("gold/tasks", "");
    fs::create_dir(fake.root.join("gold/mon_groups")).expect("made");
    let rdt = IntelRdt {
        enable_monitoring: true,
        ..class("gold")
    };
    let place = fake.make(&rdt).expect("makes");
    place.enter(5).expect("enters");
    assert_eq!(fake.read("gold/tasks"), "5\n");
    assert_eq!(fake.read("gold/mon_groups/box/tasks"), "5\n");
    fake.clear("gold/mon_groups/box");
    place.remove().expect("removes");
    assert!(fake.has("gold/mon_groups") && !fake.has("gold/mon_groups/box"));

    fs::remove_dir_all(fake.root.join("info/L3_MON")).expect("removed");
    let error = fake.make(&rdt).expect_err("cannot count");
    assert!(
        error.starts_with("linux.intelRdt.enableMonitoring: "),
        "{error}"
    );
}

#[test]
fn a_refused_schema_leaves_nothing() {
    let fake = Fake::new("refused");
    fake.write("info/last_cmd_status", "Mask out of range\n");
    // Stands for a file that takes nothing.
    fs::create_dir_all(fake.root.join("box/schemata")).expect("made");
    let rdt = IntelRdt {
        l3_cache_schema: Some("L3:0=fffffff".to_owned()),
        ..IntelRdt::default()
    };
    let error = fake.make(&rdt).expect_err("refused");
    assert!(error.starts_with("linux.intelRdt: schemata "), "{error}");
    assert!(error.contains("(Mask out of range)"), "{error}");
}

#[test]
fn the_mount_table_says_where_it_is() {
    let table = "22 1 0:20 / /sys rw - sysfs sysfs rw
40 22 0:33 / /sys/fs/resctrl rw,relatime shared:9 - resctrl resctrl rw,mba_MBps
";
    assert_eq!(
        mount_point(table).as_deref(),
        Some(Path::new("/sys/fs/resctrl"))
    );
    assert_eq!(
        mount_point("22 1 0:20 / /resctrl rw - sysfs resctrl rw\n"),
        None
    );
}
