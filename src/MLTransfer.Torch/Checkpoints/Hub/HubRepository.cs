using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Polly;

namespace MLTransfer.Torch.Checkpoints.Hub;

/// <summary>
/// What a hub answers about one model: its commits, its files, their contents. Addresses and headers are those of the Hugging Face hub's
/// HTTP interface. Nothing that comes back is trusted before it was checked.
/// </summary>
internal sealed class HubRepository(HubModelId id, string revision, HubOptions options)
{
    private const string CommitHeader = "X-Repo-Commit";
    private const string LinkedHashHeader = "X-Linked-Etag";
    private const int MostRedirects = 10;
    private const int LargestListing = 64 << 20;

    private static readonly ProductInfoHeaderValue Agent =
        new("MLTransfer", typeof(HubRepository).Assembly.GetName().Version?.ToString(3) ?? "0");

    // One connection pool for the process. Redirects are followed by hand, because the token must not follow them to other servers.
    // Bodies are taken as they are: sizes and ranges count the bytes of the file itself.
    private static readonly HttpClient Http = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
        UseCookies = false,
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
    })
    {
        Timeout = Timeout.InfiniteTimeSpan,
    };

    private readonly ResiliencePipeline _retry = HubRetry.Create(options);

    /// <summary>The commit that the revision stands for now, and its files.</summary>
    /// <exception cref="HubException">The model or revision is unknown or not accessible, or the answer makes no sense.</exception>
    public async Task<HubRevision> GetRevisionAsync(CancellationToken cancellationToken)
    {
        Uri address = Address($"api/models/{id}/revision/{Uri.EscapeDataString(revision)}");
        byte[] body = await _retry.ExecuteAsync(token => ReadListingAsync(address, token), cancellationToken).ConfigureAwait(false);
        try
        {
            JsonElement root = JsonContent.Parse(body, "It");
            string commit = root.GetProperty("sha").GetString() ?? "";
            if (!HubNames.IsCommit(commit) || (HubNames.IsCommit(revision) && commit != revision))
                throw new HubException($"{address} gave '{commit}' as the commit of '{id}' revision '{revision}'. Expected a commit hash.");
            HashSet<string> files = new(StringComparer.Ordinal);
            foreach (JsonElement sibling in root.GetProperty("siblings").EnumerateArray())
            {
                string name = sibling.GetProperty("rfilename").GetString() ?? "";
                if (!HubNames.StaysInside(name))
                    throw new HubException($"{address} lists the file name '{name}', which leads out of the model's folder. Nothing "
                        + "was downloaded.");
                files.Add(name);
            }

            return new HubRevision(commit, files);
        }
        catch (Exception e) when (e is InvalidDataException or KeyNotFoundException or InvalidOperationException)
        {
            throw new HubException($"{address} did not answer as a hub does ({e.Message}). Expected JSON with 'sha' and 'siblings'. "
                + "Check HF_ENDPOINT.", e);
        }
    }

    /// <summary>Size and content hash of a file, from the headers that the hub gives for it.</summary>
    /// <exception cref="HubException">The file is not accessible, or the headers are missing or make no sense.</exception>
    public async Task<HubFile> GetFileAsync(string commit, string name, CancellationToken cancellationToken)
    {
        Uri address = FileAddress(commit, name);
        using HttpResponseMessage response = await _retry
            .ExecuteAsync(async token => await SendAsync(HttpMethod.Head, address, 0, token).ConfigureAwait(false), cancellationToken)
            .ConfigureAwait(false);
        string? repositoryCommit = Header(response, CommitHeader);
        if (repositoryCommit != commit)
            throw new HubException($"{address} gave {CommitHeader} '{repositoryCommit}'. Expected '{commit}'. Check HF_ENDPOINT.");
        string hash = (Header(response, LinkedHashHeader) ?? Header(response, "ETag") ?? "").ToLowerInvariant();
        hash = (hash.StartsWith("w/", StringComparison.Ordinal) ? hash[2..] : hash).Trim('"');
        if (!HubNames.IsContentHash(hash))
            throw new HubException($"{address} gave the ETag '{hash}'. Expected the file's SHA-256 or git SHA-1, without which it "
                + "cannot be checked.");
        string? size = Header(response, "X-Linked-Size")
            ?? (IsRedirect(response) ? null : response.Content.Headers.ContentLength?.ToString(CultureInfo.InvariantCulture));
        return long.TryParse(size, NumberStyles.None, CultureInfo.InvariantCulture, out long bytes)
            ? new HubFile(name, commit, hash, bytes)
            : throw new HubException($"{address} gave the size '{size}'. Expected the file's length in bytes.");
    }

    /// <summary>Runs an action again, after a pause, while it fails in a way that may pass.</summary>
    public ValueTask RetryAsync(Func<CancellationToken, ValueTask> action, CancellationToken cancellationToken) =>
        _retry.ExecuteAsync(action, cancellationToken);

    /// <summary>
    /// Asks for a file's content from a position on. The server may answer with the whole file (200) or with the rest (206).
    /// </summary>
    /// <exception cref="HubException">The file is not accessible.</exception>
    public Task<HttpResponseMessage> OpenAsync(HubFile file, long from, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Get, FileAddress(file.Commit, file.Name), from, cancellationToken);

    public Uri FileAddress(string commit, string name) =>
        Address($"{id}/resolve/{commit}/{string.Join('/', name.Split('/').Select(Uri.EscapeDataString))}");

    private Uri Address(string path) => new($"{options.Endpoint.AbsoluteUri.TrimEnd('/')}/{path}");

    private async ValueTask<byte[]> ReadListingAsync(Uri address, CancellationToken cancellationToken)
    {
        using HttpResponseMessage response = await SendAsync(HttpMethod.Get, address, 0, cancellationToken).ConfigureAwait(false);
        using BodyReader body = await BodyReader.OpenAsync(response, address, options.Timeout, cancellationToken).ConfigureAwait(false);
        using MemoryStream bytes = new();
        byte[] buffer = new byte[1 << 16];
        for (int count; (count = await body.ReadAsync(buffer).ConfigureAwait(false)) > 0;)
        {
            if (bytes.Length + count > LargestListing)
                throw new HubException($"{address} sent more than {LargestListing} bytes. Expected a list of the model's files.");
            bytes.Write(buffer, 0, count);
        }

        return bytes.ToArray();
    }

    /// <summary>
    /// Sends a request and follows redirects; a HEAD request only within the hub, and only until it learns about the file.
    /// </summary>
    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, Uri address, long from, CancellationToken cancellationToken)
    {
        Uri target = address;
        bool isAuthorized = options.Token is not null;
        for (int redirects = 0; redirects <= MostRedirects; redirects++)
        {
            using HttpRequestMessage request = new(method, target);
            request.Headers.UserAgent.Add(Agent);
            request.Headers.AcceptEncoding.Add(new StringWithQualityHeaderValue("identity"));
            if (isAuthorized)
                request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", options.Token);
            if (from > 0)
                request.Headers.Range = new RangeHeaderValue(from, null);
            HttpResponseMessage response = await SendOnceAsync(request, cancellationToken).ConfigureAwait(false);
            if (response.IsSuccessStatusCode || response.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable)
                return response;
            if (!IsRedirect(response))
            {
                using (response)
                    throw HubErrors.FromResponse(response, address, id, revision, options);
            }

            Uri next = new(target, response.Headers.Location!);
            bool staysWithTheHub = HasSameOrigin(next, options.Endpoint);
            if (method == HttpMethod.Head && (!staysWithTheHub || DescribesFile(response)))
                return response;
            response.Dispose();
            if (!IsAllowed(next) || (options.Endpoint.Scheme == Uri.UriSchemeHttps && next.Scheme != Uri.UriSchemeHttps))
                throw new HubException($"{address} redirects to {HubErrors.WithoutQuery(next)}. Expected an https address.");
            isAuthorized &= staysWithTheHub;
            target = next;
        }

        throw new HubException($"{address} redirects more than {MostRedirects} times.");
    }

    private async Task<HttpResponseMessage> SendOnceAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(options.Timeout);
        try
        {
            return await Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, deadline.Token).ConfigureAwait(false);
        }
        catch (HttpRequestException e)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw HubErrors.FromFailure(e, request.RequestUri!);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw HubErrors.FromTimeout(request.RequestUri!, options.Timeout, e);
        }
    }

    /// <summary>Whether files may be fetched from the address: over TLS, or in clear text from this machine itself.</summary>
    public static bool IsAllowed(Uri address) =>
        address.IsAbsoluteUri && (address.Scheme == Uri.UriSchemeHttps || (address.Scheme == Uri.UriSchemeHttp && address.IsLoopback));

    private static bool HasSameOrigin(Uri first, Uri second) =>
        Uri.Compare(first, second, UriComponents.SchemeAndServer, UriFormat.SafeUnescaped, StringComparison.OrdinalIgnoreCase) == 0;

    private static bool IsRedirect(HttpResponseMessage response) =>
        response.StatusCode is HttpStatusCode.MovedPermanently or HttpStatusCode.Found or HttpStatusCode.SeeOther
            or HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect
        && response.Headers.Location is not null;

    private static bool DescribesFile(HttpResponseMessage response) =>
        response.Headers.Contains(CommitHeader) && response.Headers.Contains(LinkedHashHeader);

    private static string? Header(HttpResponseMessage response, string name) =>
        response.Headers.TryGetValues(name, out IEnumerable<string>? values) ? values.FirstOrDefault() : null;
}
