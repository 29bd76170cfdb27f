using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace MLTransfer.Torch.Tests.Checkpoints.Hub;

/// <summary>
/// A web server on this machine that answers as the hub does: weights behind a redirect to a content store, small files directly.
/// </summary>
internal sealed class LocalHub : IDisposable
{
    public const string Commit = "0123456789abcdef0123456789abcdef01234567";

    private readonly HttpListener _listener;
    private readonly Task _loop;

    public LocalHub(string modelId = "owner/model")
    {
        ModelId = modelId;
        (_listener, Port) = Listen();
        StoreAddress = $"http://127.0.0.1:{Port}";
        _loop = Task.Run(AcceptAsync);
    }

    public string ModelId { get; }

    public int Port { get; }

    public Uri Endpoint => new($"http://127.0.0.1:{Port}");

    /// <summary>Where the contents of large files are: this server, or another one.</summary>
    public string StoreAddress { get; set; }

    public ConcurrentDictionary<string, byte[]> Files { get; } = new(StringComparer.Ordinal);

    /// <summary>Further names in the list of files.</summary>
    public List<string> ListedOnly { get; } = [];

    public ConcurrentQueue<LocalHubRequest> Requests { get; } = new();

    public IEnumerable<LocalHubRequest> Downloads(string file) =>
        Requests.Where(request => request.Method == "GET" && request.Path.EndsWith("/" + StoreName(file), StringComparison.Ordinal));

    /// <summary>May answer a request in another way than a sane hub; returns whether it did.</summary>
    public Func<HttpListenerContext, bool> Intercept { get; set; } = _ => false;

    /// <summary>Changes the body of a content, its announced hash and size staying.</summary>
    public Func<string, byte[], byte[]> Tamper { get; set; } = (_, content) => content;

    public bool SupportsRanges { get; set; } = true;

    public static bool IsLarge(string file) =>
        file.EndsWith(".safetensors", StringComparison.Ordinal) || file.EndsWith(".bin", StringComparison.Ordinal);

    public static string HashOf(string file, byte[] content) =>
        IsLarge(file) ? Convert.ToHexStringLower(SHA256.HashData(content)) : GitHash(content);

    /// <summary>Serves files of a folder of the test data.</summary>
    public LocalHub With(string folder, params string[] names)
    {
        foreach (string name in names)
            Files[name] = File.ReadAllBytes(RepositoryFiles.Data(Path.Combine(folder, name)));
        return this;
    }

    /// <summary>A whole model with a single weights file.</summary>
    public LocalHub WithTinyModel(string weights = "model.safetensors") => With(
        "gpt2-tiny", "config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json",
        "vocab.json", "merges.txt", weights);

    /// <summary>A whole model with its weights in ten files.</summary>
    public LocalHub WithShardedModel() => With("gpt2-tiny", "tokenizer.json").With(
        "gpt2-tiny/sharded", [.. Directory.GetFiles(RepositoryFiles.Data("gpt2-tiny/sharded")).Select(path => Path.GetFileName(path))]);

    public void Dispose()
    {
        _listener.Close();
        _loop.Wait(TimeSpan.FromSeconds(5));
    }

    public static void Refuse(HttpListenerContext context, HttpStatusCode status, params (string Name, string Value)[] headers)
    {
        context.Response.StatusCode = (int)status;
        foreach ((string name, string value) in headers)
            context.Response.Headers[name] = value;
        context.Response.Close();
    }

    /// <summary>Sends the first part of a content, then drops the connection.</summary>
    public static void SendPart(HttpListenerContext context, byte[] content, int length)
    {
        context.Response.ContentLength64 = content.Length;
        context.Response.OutputStream.Write(content, 0, length);
        context.Response.OutputStream.Flush();
        context.Response.Abort();
    }

    /// <summary>The last part of the address that a file's content is downloaded from.</summary>
    public string StoreName(string file) => IsLarge(file) ? HashOf(file, Files[file]) : file;

    [SuppressMessage("Security", "CA5350", Justification = "Git names contents by SHA-1.")]
    private static string GitHash(byte[] content) =>
        Convert.ToHexStringLower(SHA1.HashData(
            [.. Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"blob {content.Length}\0")), .. content]));

    private static (HttpListener Listener, int Port) Listen()
    {
        for (int attempt = 0; ; attempt++)
        {
            int port;
            using (TcpListener probe = new(IPAddress.Loopback, 0))
            {
                probe.Start();
                port = ((IPEndPoint)probe.LocalEndpoint).Port;
            }

            HttpListener listener = new();
            listener.Prefixes.Add($"http://127.0.0.1:{port}/");
            try
            {
                listener.Start();
                return (listener, port);
            }
            catch (HttpListenerException) when (attempt < 20)
            {
                // Another process took the port in between.
            }
        }
    }

    private async Task AcceptAsync()
    {
        while (_listener.IsListening)
        {
            HttpListenerContext context;
            try
            {
                context = await _listener.GetContextAsync();
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
            {
                return;
            }

            _ = Task.Run(() => Answer(context));
        }
    }

    private void Answer(HttpListenerContext context)
    {
        HttpListenerRequest request = context.Request;
        string path = Uri.UnescapeDataString(request.Url!.AbsolutePath);
        Requests.Enqueue(new LocalHubRequest(request.HttpMethod, path, request.Headers["Range"], request.Headers["Authorization"]));
        try
        {
            if (Intercept(context))
                return;
            string resolve = $"/{ModelId}/resolve/{Commit}/";
            if (path.StartsWith($"/api/models/{ModelId}/revision/", StringComparison.Ordinal))
                SendListing(context);
            else if (path.StartsWith(resolve, StringComparison.Ordinal) && Files.TryGetValue(path[resolve.Length..], out byte[]? content))
                Resolve(context, path[resolve.Length..], content);
            else if (Files.FirstOrDefault(file => path == "/store/" + StoreName(file.Key)) is { Key: not null } stored)
                SendContent(context, Tamper(stored.Key, stored.Value));
            else
                Refuse(context, HttpStatusCode.NotFound, ("X-Error-Code", "RepoNotFound"), ("X-Error-Message", "Repository not found"));
        }
        catch (Exception e) when (e is HttpListenerException or IOException or ObjectDisposedException or InvalidOperationException)
        {
            // The client went away.
        }
    }

    private void SendListing(HttpListenerContext context)
    {
        byte[] body = JsonSerializer.SerializeToUtf8Bytes(new
        {
            id = ModelId,
            sha = Commit,
            siblings = Files.Keys.Concat(ListedOnly).Select(name => new { rfilename = name }),
        });
        context.Response.ContentType = "application/json";
        context.Response.Close(body, willBlock: true);
    }

    private void Resolve(HttpListenerContext context, string file, byte[] content)
    {
        context.Response.Headers["X-Repo-Commit"] = Commit;
        string hash = HashOf(file, content);
        if (IsLarge(file))
        {
            context.Response.Headers["X-Linked-Etag"] = $"\"{hash}\"";
            context.Response.Headers["X-Linked-Size"] = content.Length.ToString(CultureInfo.InvariantCulture);
            context.Response.Redirect($"{StoreAddress}/store/{hash}");
            context.Response.Close();
            return;
        }

        context.Response.Headers["ETag"] = $"\"{hash}\"";
        if (context.Request.HttpMethod == "HEAD")
        {
            context.Response.ContentLength64 = content.Length;
            context.Response.Close();
        }
        else
        {
            SendContent(context, Tamper(file, content));
        }
    }

    private void SendContent(HttpListenerContext context, byte[] content)
    {
        int from = 0;
        if (SupportsRanges && context.Request.Headers["Range"] is { } range)
        {
            from = (int)RangeHeaderValue.Parse(range).Ranges.Single().From!.Value;
            context.Response.StatusCode = (int)HttpStatusCode.PartialContent;
            context.Response.Headers["Content-Range"] = $"bytes {from}-{content.Length - 1}/{content.Length}";
        }

        context.Response.ContentLength64 = content.Length - from;
        context.Response.OutputStream.Write(content, from, content.Length - from);
        context.Response.Close();
    }
}
