using System.Diagnostics.CodeAnalysis;

namespace MLTransfer.Torch.Checkpoints;

/// <summary>Checks of names that files have for other files and for tensors.</summary>
internal static class PlainName
{
    /// <summary>Whether a name stays inside its folder on every system: no separators, drives, streams, controls or dots alone.</summary>
    public static bool IsFile([NotNullWhen(true)] string? name) => !string.IsNullOrWhiteSpace(name) && name is not ("." or "..")
        && name.IndexOfAny(['/', '\\', ':']) < 0 && !name.Any(char.IsControl);

    /// <summary>Whether a name is what libraries in C take it for: they end it at NUL.</summary>
    public static bool IsTensor(string name) => !name.Contains('\0', StringComparison.Ordinal);
}
