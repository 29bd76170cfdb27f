using MLTransfer.Columns;
using MLTransfer.Torch.Generation.Images;
using MLTransfer.Torch.Numerics;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLTransfer.Images;

/// <summary>What some rows ask for, and the pictures whose codes are written for them together.</summary>
/// <param name="source">The rows.</param>
/// <param name="inputs">The columns.</param>
/// <param name="side">Pixels along a picture's side.</param>
/// <param name="seed">Decides with a row's id what is drawn where no column has seeds.</param>
/// <param name="write">Makes the pictures.</param>
internal sealed class WrittenImageBatch(
    DataViewRow source, TextToImageInputs inputs, int side, long seed,
    Func<IReadOnlyList<ImagePrompt>, IReadOnlyList<GeneratedImage>> write)
    : MappedBatch
{
    private readonly ValueGetter<DataViewRowId> _id = source.GetIdGetter();
    private readonly TextToImageRowReader _reader = new(source, inputs, side);
    private readonly List<ImagePrompt> _prompts = [];
    private IReadOnlyList<GeneratedImage>? _images;

    public override void Clear()
    {
        _prompts.Clear();
        _images = null;
    }

    public override void Read(int slot)
    {
        if (slot < _prompts.Count)
            Clear(); // a single row that follows its source
        DataViewRowId id = default;
        _id(ref id);
        _prompts.Add(_reader.ReadPrompt((long)SplitMix64.Mix((ulong)seed, id.Low, id.High)));
    }

    public override Delegate CreateGetter(int column, Func<int> current) => (ValueGetter<MLImage>)((ref MLImage value) =>
    {
        var slot = current();
        _images ??= write(_prompts);
        var image = _images[slot];
        value = ImagePlanes.Create(image.Pixels, 3, image.Side, image.Side, ImageScaling.ZeroToOne);
    });
}
