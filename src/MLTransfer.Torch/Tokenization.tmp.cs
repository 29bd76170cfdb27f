namespace MLTransfer.Torch.Tokenization;
#pragma warning disable CS1591
public abstract class TextTokenizer
{
    public static TextTokenizer Load(string folder) => throw new NotImplementedException();
    public static TextTokenizer Load(IReadOnlyDictionary<string, byte[]> files) => throw new NotImplementedException();
    public abstract IReadOnlyDictionary<string, byte[]> Files { get; }
    public abstract void Save(string folder);
    public abstract int VocabularySize { get; }
    public abstract int? BeginningOfSequenceId { get; }
    public abstract int? EndOfSequenceId { get; }
    public abstract int? PaddingId { get; }
    public abstract IReadOnlySet<int> SpecialTokenIds { get; }
    public abstract int[] Encode(string text, bool addSpecialTokens = true);
    public abstract string Decode(ReadOnlySpan<int> ids, bool skipSpecialTokens = false);
    public abstract IncrementalDecoder CreateIncrementalDecoder(bool skipSpecialTokens = false);
}
public abstract class IncrementalDecoder { public abstract string Append(int id); public abstract string Flush(); }
