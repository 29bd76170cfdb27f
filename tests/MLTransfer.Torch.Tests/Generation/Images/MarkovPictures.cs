using MLTransfer.Torch.Generation.Images;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Networks;

namespace MLTransfer.Torch.Tests.Generation.Images;

/// <summary>Pictures of 2 x 2 codes, each drawn by the one before, without libtorch. A pixel is its code divided by ten.</summary>
/// <param name="logits">[code before, or the last row at the start][code].</param>
internal sealed class MarkovPictures(float[][] logits) : ITextToImageDecoder
{
    private readonly UseCount _uses = new();

    public int CodesPerSide => 2;

    public int CodebookSize => logits[0].Length;

    public int LogitsPerPosition => CodebookSize;

    public int CaptionVocabulary => 1;

    public int PictureSize => 2;

    public int MostRows => 1000;

    public UseCount.Hold Hold() => _uses.Begin(GetType());

    public int[] PadCaption(IReadOnlyList<int>? caption) => [];

    public ICodeWriter CreateWriter(IReadOnlyList<int[]> text) => new Writer(logits, text.Count);

    public int[] EncodePicture(float[] pixels) => [.. pixels.Take(4).Select(value => (int)Math.Round(value * 10))];

    public float[] DecodePicture(IReadOnlyList<int> codes) =>
        [.. Enumerable.Range(0, 3).SelectMany(_ => codes.Select(code => code / 10f))];

    private sealed class Writer(float[][] logits, int rows) : ICodeWriter
    {
        private readonly int[] _before = [.. Enumerable.Repeat(logits.Length - 1, rows)];

        public ReadOnlySpan<float> Logits(int row) => logits[_before[row]];

        public void Read(ReadOnlySpan<int> codes) => codes.CopyTo(_before);

        public void Dispose()
        {
            // It holds nothing.
        }
    }
}
