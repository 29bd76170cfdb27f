using System.Runtime.InteropServices;
using MLTransfer.Torch.Tokenization.Models;

namespace MLTransfer.Torch.Tokenization.Training;

/// <summary>Takes the place of a model and counts the words that it would see.</summary>
internal sealed class WordCounter : ITokenModel
{
    private readonly Dictionary<string, long> _counts = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long>.AlternateLookup<ReadOnlySpan<char>> _lookup;

    public WordCounter() => _lookup = _counts.GetAlternateLookup<ReadOnlySpan<char>>();

    public TokenVocabulary Vocabulary { get; } = new(TokenizerFiles.Tokenizer);

    public void Tokenize(ReadOnlySpan<char> word, TokenBuffer tokens) => CollectionsMarshal.GetValueRefOrAddDefault(_lookup, word, out _)++;

    /// <summary>The words with the number of times that each occurs, in the order of code points: that of the texts does not
    /// matter.</summary>
    public (string Word, long Count)[] ToWords()
    {
        (string Word, long Count)[] words = [.. _counts.Select(entry => (entry.Key, entry.Value))];
        Array.Sort(words, (left, right) => CodePointOrder.Compare(left.Word, right.Word));
        return words;
    }
}
