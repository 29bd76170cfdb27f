using MLTransfer.Torch.Networks;

namespace MLTransfer.Torch.Generation.Images;

/// <summary>Draws the codes of rows that are written together, code after code.</summary>
/// <param name="decoder">A network that is held.</param>
/// <param name="options">Checked options.</param>
/// <param name="advanced">Told how many codes were written, of all rows.</param>
/// <param name="cancellationToken">Ends the work between two codes.</param>
internal sealed class CodeSearch(
    ITextToImageDecoder decoder, ImageGenerationOptions options, Action<int> advanced, CancellationToken cancellationToken)
{
    /// <summary>How often drawn codes before kept ones are drawn anew.</summary>
    public const int Sweeps = 2;

    private readonly CodeChoice _choice = new(options.Sampling(decoder.LogitsPerPosition), decoder.CodebookSize);
    private readonly float[] _logits = new float[decoder.CodebookSize];
    private readonly int _length = decoder.CodesPerSide * decoder.CodesPerSide;

    /// <summary>The codes that are written for a row, in all passes.</summary>
    public long CodesOf(CodeRow row) => _length * (long)(IsSwept(row) ? 1 + Sweeps : 1);

    /// <summary>Draws the codes of all rows.</summary>
    public void Run(IReadOnlyList<CodeRow> rows)
    {
        Write(rows);
        CodeRow[] swept = [.. rows.Where(IsSwept)];
        for (var sweep = 0; sweep < Sweeps && swept.Length > 0; sweep++)
            Write(swept);
    }

    private bool IsSwept(CodeRow row) => options.Sample && row.HasSweeps;

    private void Write(IReadOnlyList<CodeRow> rows)
    {
        var guidance = rows.Any(row => row.HasCaption) ? (float)options.GuidanceScale : 1;
        var copies = guidance == 1 ? 1 : 2; // with and without their captions, so that weights are read once for both
        var texts = rows.Select(row => row.Text);
        using var writer = decoder.CreateWriter(
            [.. copies == 1 ? texts : texts.Concat(Enumerable.Repeat(decoder.PadCaption(null), rows.Count))]);
        var codes = new int[copies * rows.Count];
        for (var place = 0; place < _length; place++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            for (var row = 0; row < rows.Count; row++)
            {
                ReadLogits(writer, row, rows.Count, guidance);
                codes[row] = rows[row].Next(place, _logits, _choice);
            }

            if (copies == 2)
                codes.AsSpan(0, rows.Count).CopyTo(codes.AsSpan(rows.Count));
            if (place < _length - 1)
                writer.Read(codes);
            advanced(rows.Count);
        }

        foreach (var row in rows)
            row.EndPass();
    }

    private void ReadLogits(ICodeWriter writer, int row, int rows, float guidance)
    {
        var conditioned = writer.Logits(row);
        if (guidance == 1)
            conditioned.CopyTo(_logits);
        else
            Guidance.Combine(conditioned, writer.Logits(rows + row), guidance, _logits);
    }
}
