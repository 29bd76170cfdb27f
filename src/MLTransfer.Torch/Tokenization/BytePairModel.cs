using System.Text;

namespace MLTransfer.Torch.Tokenization;

/// <summary>What files say about a byte-level BPE: its vocabulary and merges, and what is done to a text before and after.</summary>
internal sealed class BytePairModel
{
    private static readonly UTF8Encoding s_strictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public required TokenVocabulary Vocabulary { get; init; }

    /// <summary>Pairs of tokens in order of rank.</summary>
    public required IReadOnlyList<(string Left, string Right)> Merges { get; init; }

    /// <summary>The file that has the merges.</summary>
    public required string MergesFile { get; init; }

    /// <summary>The token for a byte that the vocabulary lacks.</summary>
    public string? UnknownToken { get; init; }

    /// <summary>A word that is a token as a whole is that token, whatever the merges make of it.</summary>
    public bool IgnoreMerges { get; init; }

    /// <summary>Text is brought to Unicode normalization form C.</summary>
    public bool ComposesCharacters { get; init; }

    /// <summary>Text is split into words by GPT-2's pattern; else it is one word.</summary>
    public bool SplitsWords { get; init; } = true;

    /// <summary>A space is put before text that does not begin with one.</summary>
    public bool AddsPrefixSpace { get; init; }

    /// <summary>Added tokens with their ids, in the file's order.</summary>
    public IReadOnlyList<(AddedToken Token, int Id)> AddedTokens { get; init; } = [];

    /// <summary>Special tokens before and after every text; null where the file says nothing of it.</summary>
    public (int[] Leading, int[] Trailing)? Template { get; init; }

    /// <summary>Reads <c>vocab.json</c> and <c>merges.txt</c> of the GPT-2 release.</summary>
    public static BytePairModel ReadVocabularyAndMerges(byte[] vocabulary, byte[] merges) => new()
    {
        Vocabulary = TokenVocabulary.Read(JsonField.Parse(vocabulary, TokenizerFiles.Vocabulary), TokenizerFiles.Vocabulary),
        Merges = ReadMerges(merges),
        MergesFile = TokenizerFiles.Merges,
    };

    /// <summary>Splits a merge that is written as two tokens with a space between.</summary>
    public static (string Left, string Right)? SplitMerge(ReadOnlySpan<char> merge)
    {
        int space = merge.IndexOf(' ');
        return space > 0 && space < merge.Length - 1 && !merge[(space + 1)..].Contains(' ')
            ? (merge[..space].ToString(), merge[(space + 1)..].ToString())
            : null;
    }

    private static List<(string, string)> ReadMerges(byte[] content)
    {
        string text;
        try
        {
            text = s_strictUtf8.GetString(content).TrimStart('\uFEFF');
        }
        catch (DecoderFallbackException exception)
        {
            throw new InvalidDataException($"{TokenizerFiles.Merges} is not valid UTF-8: {exception.Message}", exception);
        }

        var merges = new List<(string, string)>();
        int number = 0;
        foreach (Range range in text.AsSpan().Split('\n'))
        {
            number++;
            ReadOnlySpan<char> line = text.AsSpan(range);
            if (line.EndsWith('\r'))
                line = line[..^1];
            if (line.IsEmpty || line.StartsWith("#version"))
                continue;
            merges.Add(SplitMerge(line) ?? throw new InvalidDataException(
                $"{TokenizerFiles.Merges}: line {number} is '{(line.Length > 60 ? line[..60] : line)}'; "
                    + "expected two tokens with one space between."));
        }

        return merges;
    }
}
