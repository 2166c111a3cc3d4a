use super::*;

fn platform(text: &str) -> Platform {
    text.parse()
        .unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn spellings_become_one() {
    let cases = [
        ("linux/x86_64", "linux/amd64"),
        ("Linux/AMD64/v1", "linux/amd64"),
        ("linux/amd64/v3", "linux/amd64/v3"),
        ("linux/aarch64", "linux/arm64"),
        ("linux/arm64/v8", "linux/arm64"),
        ("linux/arm", "linux/arm/v7"),
        ("linux/armhf", "linux/arm/v7"),
        ("linux/armel", "linux/arm/v6"),
        ("linux/arm/6", "linux/arm/v6"),
        ("linux/i686", "linux/386"),
        ("arm64", "linux/arm64"),
    ];
    for (text, expected) in cases {
        assert_eq!(platform(text).to_string(), expected, "{text}");
    }
}

#[test]
fn refuses_what_is_none() {
    for text in [
        "",
        "/",
        "linux/",
        "linux/amd64/v1/x",
        "linux/am d64",
        "plan10",
    ] {
        assert!(text.parse::<Platform>().is_err(), "{text}");
    }
}

#[test]
fn picks_the_nearest() {
    let cases = [
        // wanted, offered (best first), not taken
        (
            "linux/amd64",
            vec!["linux/amd64", "linux/386"],
            vec!["linux/amd64/v3", "linux/arm64", "windows/amd64"],
        ),
        (
            "linux/amd64/v3",
            vec![
                "linux/amd64/v3",
                "linux/amd64/v2",
                "linux/amd64",
                "linux/386",
            ],
            vec!["linux/amd64/v4"],
        ),
        (
            "linux/arm64",
            vec![
                "linux/arm64/v8",
                "linux/arm/v8",
                "linux/arm/v7",
                "linux/arm/v5",
            ],
            vec!["linux/amd64"],
        ),
        (
            "linux/arm/v6",
            vec!["linux/arm/v6", "linux/arm/v5"],
            vec!["linux/arm/v7", "linux/arm64"],
        ),
        ("linux/riscv64", vec!["linux/riscv64"], vec!["linux/amd64"]),
    ];
    for (wanted, offered, refused) in cases {
        let ranks: Vec<_> = offered
            .iter()
            .map(|text| platform(wanted).rank(&platform(text)))
            .collect();
        assert!(ranks.iter().all(Option::is_some), "{wanted}: {ranks:?}");
        assert!(
            ranks.is_sorted() && ranks[0] == Some(0),
            "{wanted}: {ranks:?}"
        );
        for text in refused {
            assert_eq!(
                platform(wanted).rank(&platform(text)),
                None,
                "{wanted} must not take {text}"
            );
        }
    }
}
