namespace MLTransfer.Torch.Networks;

/// <summary>Rows of captions and the codes read so far, with what attention keeps of them. For one thread.</summary>
internal interface ICodeWriter : IDisposable
{
    /// <summary>The logits of a row's next code, [codes that may be drawn]; valid until codes are read.</summary>
    ReadOnlySpan<float> Logits(int row);

    /// <summary>Reads a code of each row.</summary>
    void Read(ReadOnlySpan<int> codes);
}
