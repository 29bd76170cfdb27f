using System.Text.RegularExpressions;

namespace MLTransfer.Torch.Checkpoints.Hub;

/// <summary>The name of a model repository, <c>name</c> or <c>owner/name</c>, by the hub's own rules.</summary>
internal sealed partial record HubModelId
{
    private const int LongestName = 96;

    private HubModelId(string value) => Value = value;

    public string Value { get; }

    /// <summary>The model's folder in the cache, for example <c>models--owner--name</c>.</summary>
    public string FolderName => "models--" + Value.Replace("/", "--", StringComparison.Ordinal);

    /// <exception cref="ArgumentException">The text is not a repository name.</exception>
    public static HubModelId Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (!IsValid(text))
            throw new ArgumentException(
                $"'{text}' is neither an existing folder nor a hub id. Expected a folder that holds config.json, "
                + "or an id such as 'gpt2' or 'owner/name': letters, digits, '-', '_' and '.', "
                + $"a name of at most {LongestName} characters that does not begin or end with '-' or '.', "
                + "no '--', no '..', no '.git' at the end.",
                nameof(text));
        return new HubModelId(text);
    }

    public override string ToString() => Value;

    private static bool IsValid(string text) =>
        Pattern().Match(text) is { Success: true } match
        && match.Groups["name"].Length <= LongestName
        && !text.Contains("--", StringComparison.Ordinal)
        && !text.Contains("..", StringComparison.Ordinal)
        && !text.EndsWith(".git", StringComparison.Ordinal);

    [GeneratedRegex(@"\A([A-Za-z0-9_]([A-Za-z0-9_.\-]*[A-Za-z0-9_])?/)?(?<name>[A-Za-z0-9_]([A-Za-z0-9_.\-]*[A-Za-z0-9_])?)\z")]
    private static partial Regex Pattern();
}
