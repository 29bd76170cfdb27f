using System.Text;
using MLTransfer.Torch.Memory;

namespace MLTransfer.Torch.Checkpoints.Hub;

/// <summary>
/// Where models come from and where they are kept. The defaults and environment variables are those of Python's <c>huggingface_hub</c>.
/// </summary>
public sealed class HubOptions
{
    /// <summary>The public hub.</summary>
    public static Uri DefaultEndpoint { get; } = new("https://huggingface.co");

    /// <summary>Address of the hub: https, or http on the loopback interface.</summary>
    public Uri Endpoint { get; init; } = DefaultEndpoint;

    /// <summary>The folder that holds <c>models--owner--name</c> folders.</summary>
    public required string CacheFolder { get; init; }

    /// <summary>
    /// Access token for private and gated models, or null. It is sent to <see cref="Endpoint"/> only, never to a server that it redirects
    /// to.
    /// </summary>
    public string? Token { get; init; }

    /// <summary>Whether only the cache may be used.</summary>
    public bool Offline { get; init; }

    /// <summary>
    /// Whether a snapshot's files are symbolic links to blobs; plain files otherwise, and where the file system has no links.
    /// </summary>
    internal bool UseSymbolicLinks { get; init; } = true;

    /// <summary>Wait before the first retry; it doubles with each further one.</summary>
    internal TimeSpan RetryDelay { get; init; } = TimeSpan.FromSeconds(0.5);

    /// <summary>Longest wait for an answer to begin, and for the next bytes of a body.</summary>
    internal TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// The options that the environment asks for: <c>HF_ENDPOINT</c>; the cache folder <c>HF_HUB_CACHE</c>, else <c>HF_HOME/hub</c>, else
    /// <c>XDG_CACHE_HOME/huggingface/hub</c>, else <c>~/.cache/huggingface/hub</c>; the token <c>HF_TOKEN</c>, else the file
    /// <c>HF_TOKEN_PATH</c> (<c>token</c> in the cache's home), not used when <c>HF_HUB_DISABLE_IMPLICIT_TOKEN</c> is on;
    /// <c>HF_HUB_OFFLINE</c> or <c>TRANSFORMERS_OFFLINE</c>; <c>HF_HUB_DISABLE_SYMLINKS</c>.
    /// </summary>
    /// <exception cref="ArgumentException"><c>HF_ENDPOINT</c> is not an absolute address.</exception>
    public static HubOptions FromEnvironment() => FromEnvironment(Environment.GetEnvironmentVariable);

    internal static HubOptions FromEnvironment(Func<string, string?> variable)
    {
        string userCache = Folder("XDG_CACHE_HOME") ?? Path.Combine(UserHome, ".cache");
        string home = Folder("HF_HOME") ?? Path.Combine(userCache, "huggingface");
        string? endpoint = Text("HF_ENDPOINT");
        Uri? address = DefaultEndpoint;
        if (endpoint is not null && !Uri.TryCreate(endpoint, UriKind.Absolute, out address))
            throw new ArgumentException(
                $"The environment variable HF_ENDPOINT is '{endpoint}'. Expected an absolute address such as {DefaultEndpoint}.");
        return new HubOptions
        {
            Endpoint = address,
            CacheFolder = Folder("HF_HUB_CACHE") ?? Folder("HUGGINGFACE_HUB_CACHE") ?? Path.Combine(home, "hub"),
            Token = IsOn("HF_HUB_DISABLE_IMPLICIT_TOKEN") ? null : ReadToken(),
            Offline = IsOn("HF_HUB_OFFLINE") || IsOn("TRANSFORMERS_OFFLINE"),
            UseSymbolicLinks = !IsOn("HF_HUB_DISABLE_SYMLINKS"),
        };

        string? Text(string name) => variable(name) is { } value && !string.IsNullOrWhiteSpace(value) ? value.Trim() : null;

        string? Folder(string name) => Text(name) is { } path ? ExpandHome(path) : null;

        bool IsOn(string name) => Text(name)?.ToUpperInvariant() is "1" or "ON" or "YES" or "TRUE";

        string? ReadToken()
        {
            if ((Text("HF_TOKEN") ?? Text("HUGGING_FACE_HUB_TOKEN")) is { } token)
                return token;
            string path = Folder("HF_TOKEN_PATH") ?? Path.Combine(home, "token");
            return FileOnDisk.Length(path) > 0 && Encoding.UTF8.GetString(FileKind.Line.Read(path)).Trim() is { Length: > 0 } stored
                ? stored : null;
        }
    }

    /// <summary>Replaces a leading <c>~</c> by the user's home folder.</summary>
    internal static string ExpandHome(string path) =>
        path == "~" ? UserHome
        : path.StartsWith("~/", StringComparison.Ordinal) || path.StartsWith("~\\", StringComparison.Ordinal)
            ? Path.Combine(UserHome, path[2..])
            : path;

    private static string UserHome => Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
}
