namespace MLTransfer.Torch.Tokenization.Training;

/// <summary>Texts in the order of their code points, which is that of their UTF-8 too.</summary>
internal sealed class CodePointOrder : IComparer<string>
{
    public static CodePointOrder Instance { get; } = new();

    public int Compare(string? x, string? y) => Compare(x.AsSpan(), y.AsSpan());

    public static int Compare(ReadOnlySpan<char> left, ReadOnlySpan<char> right)
    {
        int common = left.CommonPrefixLength(right);
        return common == left.Length || common == right.Length ? left.Length - right.Length : Key(left[common]) - Key(right[common]);
    }

    // Surrogates stand for code points above all units.
    private static int Key(char unit) => char.IsSurrogate(unit) ? unit + 0x10000 : unit;
}
