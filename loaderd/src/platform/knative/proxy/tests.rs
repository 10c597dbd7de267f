use super::*;

/// The proxy to `server`, where the kubeconfig names `given` and these variables are set.
fn found(server: &str, given: Option<&str>, variables: &[(&str, &str)]) -> Option<String> {
    let mut config = Config::new(server.parse().unwrap());
    let variable = |name: &str| variables.iter().find(|(it, _)| *it == name).map(|(_, value)| (*value).to_owned());
    // As the library fills it in.
    let of_environment = || PROXIES.iter().find_map(|name| variable(name));
    config.proxy_url = given.map(str::to_owned).or_else(of_environment).and_then(|uri| uri.parse().ok());
    proxy(&config, variable).map(|proxy| address(&proxy))
}

#[test]
fn a_proxy_is_taken_from_the_kubeconfig_or_the_environment() {
    let server = "https://10.1.2.3:6443";
    let through = Some("http://proxy:3128".to_owned());
    for (given, variables, expected) in [
        (None, &[][..], None),
        (None, &[("HTTPS_PROXY", "")], None),
        (None, &[("HTTPS_PROXY", "http://proxy:3128")], through.clone()),
        (None, &[("https_proxy", "proxy:3128")], through.clone()),
        (None, &[("HTTPS_PROXY", "http://ann:secret@proxy:3128")], through.clone()),
        (None, &[("HTTPS_PROXY", "socks5://proxy:1080")], Some("socks5://proxy:1080".to_owned())),
        (Some("http://proxy:3128"), &[], through.clone()),
        // What the kubeconfig says is for this server.
        (Some("http://proxy:3128"), &[("NO_PROXY", "*")], through.clone()),
        (Some("http://proxy:3128"), &[("HTTPS_PROXY", "http://other:1")], through),
    ] {
        assert_eq!(found(server, given, variables), expected, "{given:?} {variables:?}");
    }
    assert_eq!(found("http://10.1.2.3:8080", None, &[("HTTPS_PROXY", "http://proxy:3128")]), None);
}

#[test]
fn no_proxy_is_held_against_the_server() {
    for (server, exceptions, is_straight) in [
        ("https://10.1.2.3:6443", "10.1.2.3", true),
        ("https://10.1.2.3:6443", "127.0.0.1, 10.0.0.0/8,", true),
        ("https://10.1.2.3:6443", "10.1.2.3:6443", true),
        ("https://10.1.2.3:6443", "10.1.2.3:443", false),
        ("https://10.1.2.3:6443", "proxy,10.1.2.4,,192.168.0.0/16", false),
        ("https://10.1.2.3:6443", "*", true),
        ("https://api.example.org:6443", "example.org", true),
        ("https://api.example.org:6443", ".Example.org", true),
        ("https://api.example.org:6443", "*.example.org", true),
        ("https://api.example.org:6443", "api.example.org:6443", true),
        ("https://api.example.org", "api.example.org:443", true),
        ("https://api.example.org:6443", "ample.org", false),
        ("https://[fd00::1]:6443", "fd00::1", true),
        ("https://[fd00::1]:6443", "[fd00::1]:6443", true),
        ("https://[fd00::1]:6443", "fd00::/8", true),
        ("https://[fd00::1]:6443", "fd01::/16", false),
    ] {
        for name in EXCEPTIONS {
            let found = found(server, None, &[("HTTPS_PROXY", "http://proxy:3128"), (name, exceptions)]);
            assert_eq!(found.is_none(), is_straight, "{server} {name}={exceptions}");
        }
    }
}

#[test]
fn a_proxy_that_cant_be_used_is_named_with_the_way_without() {
    let mut config = Config::new("https://10.1.2.3:6443".parse().unwrap());
    config.proxy_url = Some("https://ann:secret@proxy:3128".parse().unwrap());
    let error = client_with(config, |_| None).err().expect("is refused");
    let expected =
        "the proxy https://proxy:3128 can't be used, http:// and socks5:// can; NO_PROXY=10.1.2.3 goes without";
    assert_eq!(error.to_string(), expected);
}
