using MLTransfer.Torch.Tokenization.Models;

namespace MLTransfer.Torch.Tokenization;

/// <summary>Tells which tokens together are a word.</summary>
/// <remarks>
/// By WordPiece's prefix <c>##</c> a word is what the pre-tokenizer made, without punctuation. Where tokens carry the space before them
/// (byte-level BPE, SentencePiece's <c>▁</c>) a word is what stands between spaces, punctuation included. A special token is in no word.
/// </remarks>
internal sealed class WordBoundaries
{
    private readonly bool[] _begins; // by id: whether a word begins with the token, wherever it stands
    private readonly bool[] _ends;   // by id: whether a word ends with it
    private readonly bool[] _special;

    private WordBoundaries(bool[] begins, bool[] ends, bool[] special) => (_begins, _ends, _special) = (begins, ends, special);

    public static WordBoundaries Of(TokenizerDescription description, TokenVocabulary vocabulary, IReadOnlySet<int> specialIds)
    {
        var tokens = vocabulary.ToArray();
        Predicate<string> begins = description switch
        {
            { Model: WordPieceModel model } => token => !token.StartsWith(model.ContinuingPrefix, StringComparison.Ordinal),
            { Model: WordLevelModel } => static _ => true,
            { BytePairs.EndSuffix.Length: > 0 } => static _ => false,
            { BytePairs.ContinuingPrefix: { Length: > 0 } prefix } => token => !token.StartsWith(prefix, StringComparison.Ordinal),
            { BytePairs: { } pairs } when BytePairModel.HasAlphabet(pairs.Vocabulary) =>
                static token => ByteLevelAlphabet.BytesOf(token) is [0x20 or (>= 0x09 and <= 0x0D), ..],
            _ => static token => token.StartsWith('\u2581'),
        };
        var suffix = description.BytePairs?.EndSuffix ?? "";
        return new WordBoundaries(
            [.. tokens.Select(token => token is not null && begins(token))],
            [.. tokens.Select(token => suffix.Length > 0 && token?.EndsWith(suffix, StringComparison.Ordinal) == true)],
            [.. tokens.Select((_, id) => specialIds.Contains(id))]);
    }

    /// <summary>The words of a sequence, each by its first position and the position after its last one; special tokens are left
    /// out.</summary>
    public List<Range> WordsOf(ReadOnlySpan<int> ids)
    {
        var words = new List<Range>();
        for (var start = 0; start < ids.Length;)
        {
            if (Is(_special, ids[start]))
            {
                start++;
                continue;
            }

            var end = start + 1;
            while (end < ids.Length && !Is(_special, ids[end]) && !Is(_begins, ids[end]) && !Is(_ends, ids[end - 1]))
                end++;
            words.Add(start..end);
            start = end;
        }

        return words;
    }

    // A model whose vocabulary was rounded up has ids that no token has.
    private static bool Is(bool[] property, int id) => (uint)id < (uint)property.Length && property[id];
}
