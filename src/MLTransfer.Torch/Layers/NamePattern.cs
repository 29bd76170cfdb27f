using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;

namespace MLTransfer.Torch.Layers;

/// <summary>Regular expressions for names of layers, as peft reads them.</summary>
internal static class NamePattern
{
    // Names have some dozens of characters: a pattern that needs longer was made to.
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(1);

    /// <summary>Whether a pattern fits a whole name.</summary>
    public static bool IsWhole(string pattern, string name) => Matches($@"\A(?:{pattern})\z", name);

    /// <summary>The value of the first pattern that fits the end of a name, or the part of it behind a dot.</summary>
    public static bool First<T>(IReadOnlyDictionary<string, T> patterns, string name, [MaybeNullWhen(false)] out T value)
    {
        foreach (var (pattern, candidate) in patterns)
        {
            if (Matches($@"\A(?:.*\.)?(?:{pattern})\z", name))
            {
                value = candidate;
                return true;
            }
        }

        value = default;
        return false;
    }

    /// <exception cref="ArgumentException">The pattern is no regular expression.</exception>
    public static void Check(string pattern) => Matches($"(?:{pattern})", "");

    private static bool Matches(string pattern, string name)
    {
        try
        {
            return Regex.IsMatch(name, pattern, RegexOptions.CultureInvariant, s_limit);
        }
        catch (RegexMatchTimeoutException exception)
        {
            throw new ArgumentException($"The pattern '{pattern}' takes too long on the name '{name}'. Write it simpler.", exception);
        }
    }
}
