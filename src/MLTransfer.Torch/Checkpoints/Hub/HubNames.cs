using System.Text.RegularExpressions;

namespace MLTransfer.Torch.Checkpoints.Hub;

/// <summary>Checks of names that come from a server or a user before they become a part of a path.</summary>
internal static partial class HubNames
{
    /// <summary>Whether the text is a full git commit hash, in lower case.</summary>
    public static bool IsCommit(string text) => Sha1().IsMatch(text);

    /// <summary>Whether the text is the hash of a file's content as the hub gives it: git's SHA-1 or a SHA-256, in lower case.</summary>
    public static bool IsContentHash(string text) => Sha1().IsMatch(text) || Sha256().IsMatch(text);

    /// <summary>Whether the text names a file of the repository's top folder and is safe as a file name on every system.</summary>
    public static bool IsPlainFileName(string text) => PlainFileName().IsMatch(text);

    /// <summary>Whether no component of the text leads out of the folder that it is relative to.</summary>
    public static bool StaysInside(string path) =>
        path.Length > 0
        && !Path.IsPathRooted(path)
        && path.Split('/', '\\').All(component => component is not ("" or "." or ".."));

    /// <summary>Checks a branch, tag or commit.</summary>
    /// <exception cref="ArgumentException">The text cannot be a git revision.</exception>
    public static string CheckRevision(string revision) =>
        RevisionCharacters().IsMatch(revision) && StaysInside(revision)
            ? revision
            : throw new ArgumentException(
                $"'{revision}' is not a revision. Expected a branch, a tag or a commit hash, such as 'main' or 'refs/pr/1'.",
                nameof(revision));

    [GeneratedRegex(@"\A[0-9a-f]{40}\z")]
    private static partial Regex Sha1();

    [GeneratedRegex(@"\A[0-9a-f]{64}\z")]
    private static partial Regex Sha256();

    [GeneratedRegex(@"\A[A-Za-z0-9_][A-Za-z0-9_.\-]{0,200}\z")]
    private static partial Regex PlainFileName();

    // What git forbids in a reference name, less what StaysInside checks.
    [GeneratedRegex(@"\A[^\x00-\x20\x7f~^:?*\[\\<>|""]{1,200}\z")]
    private static partial Regex RevisionCharacters();
}
