using System.Text;

namespace MLTransfer.Torch.Tokenization.Models;

/// <summary>The merges of a byte-pair model as files write them.</summary>
internal static class MergeList
{
    private static readonly UTF8Encoding s_strictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Reads <c>merges.txt</c>: two tokens a line.</summary>
    public static List<(string Left, string Right)> Read(byte[] content, string file)
    {
        var merges = new List<(string, string)>();
        int number = 0;
        foreach (string line in Lines(content, file))
        {
            number++;
            if (line.Length == 0 || line.StartsWith("#version", StringComparison.Ordinal))
                continue;
            merges.Add(Split(line) ?? throw new InvalidDataException(
                $"{file}: line {number} is '{(line.Length > 60 ? line[..60] : line)}'; expected two tokens with one space between."));
        }

        return merges;
    }

    /// <summary>The lines of a file of UTF-8.</summary>
    public static IEnumerable<string> Lines(byte[] content, string file)
    {
        string text;
        try
        {
            text = s_strictUtf8.GetString(content).TrimStart('\uFEFF');
        }
        catch (DecoderFallbackException exception)
        {
            throw new InvalidDataException($"{file} is not valid UTF-8: {exception.Message}", exception);
        }

        return text.Split('\n').Select(line => line.EndsWith('\r') ? line[..^1] : line);
    }

    /// <summary>Splits a merge that is written as two tokens with a space between.</summary>
    public static (string Left, string Right)? Split(string merge)
    {
        int space = merge.IndexOf(' ');
        return space > 0 && space < merge.Length - 1 && !merge.AsSpan(space + 1).Contains(' ') ? (merge[..space], merge[(space + 1)..])
            : null;
    }

    /// <summary>Finds the ids of pairs and of what they make; the rank is the place in the list.</summary>
    /// <param name="merges">Pairs of tokens in order of rank.</param>
    /// <param name="vocabulary">The tokens.</param>
    /// <param name="file">The file to name in errors.</param>
    /// <param name="continuingPrefix">What a right half begins with that is left out of the joined token.</param>
    public static List<(int Left, int Right, int Rank, int Id)> Resolve(
        IEnumerable<(string Left, string Right)> merges, TokenVocabulary vocabulary, string file, string continuingPrefix = "")
    {
        var resolved = new List<(int, int, int, int)>();
        foreach ((string left, string right) in merges)
        {
            string joined = string.Concat(left, right.AsSpan(Math.Min(continuingPrefix.Length, right.Length)));
            resolved.Add((IdOf(left), IdOf(right), resolved.Count, IdOf(joined)));

            int IdOf(string token) => vocabulary.Ids.TryGetValue(token, out int id) ? id : throw new InvalidDataException(
                $"{file}: merge {resolved.Count + 1} ('{left}' with '{right}') needs the token '{token}', which is not in the " +
                "vocabulary. The merges and the vocabulary must come from the same tokenizer.");
        }

        return resolved;
    }
}
