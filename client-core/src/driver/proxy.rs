//! A SOCKS5 proxy (RFC 1928, 1929), for Tor: names are resolved by the proxy, and every connection
//! shows other credentials, so that Tor gives each a circuit of its own.

use std::net::SocketAddr;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::network::NetworkError;

/// Scheme of a proxy that resolves names itself.
const SCHEME: &str = "socks5h://";
const VERSION: u8 = 5;
const BY_PASSWORD: u8 = 2;
const CONNECT: u8 = 1;
const BY_NAME: u8 = 3;
const DONE: u8 = 0;
/// What the proxy may say instead of "done": nothing listens there.
const REPLY_REFUSED: u8 = 5;

/// Where a proxy listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proxy(SocketAddr);

/// Text is no proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not of the form socks5h://127.0.0.1:9050")]
pub struct BadProxy;

impl std::str::FromStr for Proxy {
    type Err = BadProxy;

    fn from_str(text: &str) -> Result<Self, BadProxy> {
        let address = text.strip_prefix(SCHEME).ok_or(BadProxy)?;
        address
            .trim_end_matches('/')
            .parse()
            .map(Self)
            .map_err(|_| BadProxy)
    }
}

impl Proxy {
    /// Connects to `host` through the proxy.
    pub(super) async fn dial(&self, host: &str, port: u16) -> Result<TcpStream, NetworkError> {
        let mut stream = TcpStream::connect(self.0)
            .await
            .map_err(|_| NetworkError::Proxy)?;
        match connect(&mut stream, host, port).await {
            Ok(DONE) => Ok(stream),
            Ok(REPLY_REFUSED) => Err(NetworkError::Refused),
            Ok(_) => Err(NetworkError::Unreachable),
            Err(_) => Err(NetworkError::Proxy),
        }
    }
}

/// The proxy's reply code.
async fn connect(stream: &mut TcpStream, host: &str, port: u16) -> std::io::Result<u8> {
    stream.write_all(&[VERSION, 1, BY_PASSWORD]).await?;
    expect(stream, [VERSION, BY_PASSWORD]).await?;
    let mut token = [0; 16];
    getrandom::fill(&mut token).map_err(std::io::Error::other)?;
    let isolation = [&[1, 16], &token[..], &[1, b'0']].concat();
    stream.write_all(&isolation).await?;
    expect(stream, [1, DONE]).await?;
    let len = u8::try_from(host.len()).map_err(std::io::Error::other)?;
    let target = [
        &[VERSION, CONNECT, 0, BY_NAME, len],
        host.as_bytes(),
        &port.to_be_bytes(),
    ];
    stream.write_all(&target.concat()).await?;
    let [_, reply, _, form, first] = read::<5>(stream).await?;
    // The address that the proxy bound: IPv4, name, IPv6; its first byte was read.
    let rest = match form {
        1 => 3 + 2,
        BY_NAME => usize::from(first) + 2,
        _ => 15 + 2,
    };
    let mut bound = vec![0; rest];
    if reply == DONE {
        stream.read_exact(&mut bound).await?;
    }
    Ok(reply)
}

async fn expect(stream: &mut TcpStream, expected: [u8; 2]) -> std::io::Result<()> {
    if read(stream).await? == expected {
        Ok(())
    } else {
        Err(std::io::ErrorKind::InvalidData.into())
    }
}

async fn read<const N: usize>(stream: &mut TcpStream) -> std::io::Result<[u8; N]> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes).await?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[test]
    fn only_proxies_that_resolve_names_are_accepted() {
        assert!("socks5h://127.0.0.1:9050".parse::<Proxy>().is_ok());
        assert!("socks5h://[::1]:9050/".parse::<Proxy>().is_ok());
        for text in [
            "socks5://127.0.0.1:9050",
            "127.0.0.1:9050",
            "socks5h://localhost:9050",
            "",
        ] {
            assert_eq!(text.parse::<Proxy>(), Err(BadProxy));
        }
    }

    #[tokio::test]
    async fn the_name_goes_to_the_proxy_and_each_connection_shows_another_token() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = Proxy(listener.local_addr().unwrap());
        let mut tokens = Vec::new();
        for _ in 0..2 {
            let (dialled, token) =
                tokio::join!(proxy.dial("relay.example", 443), serve(&listener, DONE));
            assert!(dialled.is_ok());
            tokens.push(token);
        }
        assert_ne!(tokens[0], tokens[1]);
        let (dialled, _) = tokio::join!(
            proxy.dial("relay.example", 443),
            serve(&listener, REPLY_REFUSED)
        );
        assert_eq!(dialled.unwrap_err(), NetworkError::Refused);
    }

    async fn serve(listener: &TcpListener, reply: u8) -> [u8; 16] {
        let (mut stream, _) = listener.accept().await.unwrap();
        assert_eq!(read(&mut stream).await.unwrap(), [VERSION, 1, BY_PASSWORD]);
        stream.write_all(&[VERSION, BY_PASSWORD]).await.unwrap();
        assert_eq!(read(&mut stream).await.unwrap(), [1, 16]);
        let token = read(&mut stream).await.unwrap();
        assert_eq!(read(&mut stream).await.unwrap(), [1, b'0']);
        stream.write_all(&[1, DONE]).await.unwrap();
        assert_eq!(
            read(&mut stream).await.unwrap(),
            [VERSION, CONNECT, 0, BY_NAME, 13]
        );
        assert_eq!(&read::<13>(&mut stream).await.unwrap(), b"relay.example");
        assert_eq!(read(&mut stream).await.unwrap(), 443_u16.to_be_bytes());
        stream
            .write_all(&[VERSION, reply, 0, 1, 0, 0, 0, 0, 0, 0])
            .await
            .unwrap();
        token
    }
}
