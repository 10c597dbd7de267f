//! API servers behind a proxy that opens tunnels, by HTTP CONNECT (RFC 9110, section 9.3.6).

use std::{
    fs,
    io::{self, BufRead as _, BufReader, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use loader_tests::{Daemon, cluster::Cluster};

/// A proxy that remembers where it was asked to connect to.
struct Proxy {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("has an address");
        let asked = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&asked);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let heard = Arc::clone(&heard);
                // A connection that breaks is its client's concern.
                thread::spawn(move || drop(tunnel(client, &heard)));
            }
        });
        Self { address, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn tunnel(mut client: TcpStream, heard: &Mutex<Vec<String>>) -> io::Result<()> {
    let mut lines = BufReader::new(client.try_clone()?).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    let target = request.split(' ').nth(1).unwrap_or_default().to_owned();
    heard.lock().unwrap_or_else(PoisonError::into_inner).push(request);
    while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
    let mut server = match TcpStream::connect(&target) {
        Ok(server) => server,
        Err(_) => return client.write_all(b"HTTP/1.1 502 Bad Gateway\r\n\r\n"),
    };
    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
    let (mut from, mut to) = (server.try_clone()?, client.try_clone()?);
    thread::spawn(move || drop(io::copy(&mut from, &mut to)));
    io::copy(&mut client, &mut server).map(drop)
}

fn status(daemon: &Daemon) -> String {
    daemon.ctl(&["status"]).ok().stdout
}

#[test]
fn a_cluster_is_used_through_the_proxy_of_its_kubeconfig() {
    let cluster = Cluster::start();
    let proxy = Proxy::start();
    let text = fs::read_to_string(cluster.kubeconfig()).expect("a file");
    let (server, _) = text.split_once("server: 'http://").expect("has a server").1.split_once('\'').expect("ends");
    let with = text.replace("cluster: {server", &format!("cluster: {{proxy-url: 'http://{}', server", proxy.address));
    fs::write(cluster.kubeconfig(), &with).expect("writes");
    let state = tempfile::tempdir().expect("a directory");
    let daemon = super::daemon(&cluster, state.path());
    super::succeed(
        &daemon,
        "--mode burst --target-rps 2 --burst 2 --hold 2s --step-duration 1s --runtime 1ms --memory 1MiB",
    );
    let asked = proxy.asked();
    assert!(!asked.is_empty());
    assert!(asked.iter().all(|line| line.starts_with(&format!("CONNECT {server} HTTP/1.1"))), "{asked:?}");
}

/// What a daemon says of a cluster that nobody listens for, with these variables.
fn unreachable(directory: &Path, variables: &[(&str, &str)]) -> String {
    let kubeconfig = directory.join("kubeconfig.yaml");
    let text = "apiVersion: v1\nkind: Config\ncurrent-context: c\ncontexts: [{name: c, context: {cluster: k, user: u}}]\n\
                clusters: [{name: k, cluster: {server: \"https://127.0.0.1:1\"}}]\nusers: [{name: u, user: {token: none}}]\n";
    fs::write(&kubeconfig, text).expect("writes");
    fs::set_permissions(&kubeconfig, fs::Permissions::from_mode(0o600)).expect("it is ours");
    let config = directory.join("loaderd.toml");
    fs::write(&config, format!("[knative]\nkubeconfig = {kubeconfig:?}\nnamespace = \"loader\"\n")).expect("writes");
    let flags = ["--config", config.to_str().expect("text")];
    let daemon = Daemon::start_in(&directory.join("state"), &flags, variables);
    let status = status(&daemon);
    status.lines().filter(|line| line.contains("knative")).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_proxy_of_the_environment_is_used_unless_no_proxy_has_the_server() {
    let proxy = Proxy::start();
    let through = format!("http://ann:secret@{}", proxy.address);
    let variables =
        |exceptions| [("HTTPS_PROXY", through.as_str()), ("NO_PROXY", exceptions), ("no_proxy", exceptions)];
    let directory = tempfile::tempdir().expect("a directory");
    let said = unreachable(directory.path(), &variables("10.0.0.0/8,"));
    let named = format!("https://127.0.0.1:1 (kubeconfig {}/kubeconfig.yaml)", directory.path().display());
    let way = format!(" through the proxy http://{} (NO_PROXY=127.0.0.1 goes without)", proxy.address);
    assert!(said.contains(&format!("{named}{way}")) && !said.contains("secret"), "{said}");
    let asked = proxy.asked();
    assert!(!asked.is_empty() && asked.iter().all(|line| line.starts_with("CONNECT 127.0.0.1:1 ")), "{asked:?}");
    let directory = tempfile::tempdir().expect("a directory");
    let said = unreachable(directory.path(), &variables("127.0.0.0/8"));
    assert!(said.contains("https://127.0.0.1:1 (") && said.contains("refused") && !said.contains("proxy"), "{said}");
    assert_eq!(proxy.asked(), asked);
}
