using MLTransfer.Columns;
using MLTransfer.Torch.Generation.Images;
using MLTransfer.Torch.Numerics;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLTransfer.Images;

/// <summary>What some rows ask for, and the pictures whose codes are written for them together.</summary>
internal sealed class WrittenImageBatch(TextToImageTransformer transformer, DataViewRow source, TextToImageInputs inputs) : MappedBatch
{
    private readonly ValueGetter<DataViewRowId> _id = source.GetIdGetter();
    private readonly TextToImageRowReader _reader = new(source, inputs, transformer.Side);
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
        _prompts.Add(_reader.ReadPrompt((long)SplitMix64.Mix((ulong)transformer.Seed, id.Low, id.High)));
    }

    public override Delegate CreateGetter(int column, Func<int> current) => (ValueGetter<MLImage>)((ref MLImage value) =>
    {
        var slot = current();
        _images ??= transformer.Write(_prompts);
        var image = _images[slot];
        value = ImagePlanes.Create(image.Pixels, 3, image.Side, image.Side, ImageScaling.ZeroToOne);
    });
}
