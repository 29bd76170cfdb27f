using MLTransfer.Columns;
using MLTransfer.Torch.Networks.StyleGan2;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLTransfer.Images;

/// <summary>The seeds or latent vectors, and the labels, of some rows whose pictures are made together.</summary>
internal sealed class GeneratedImageBatch(
    ImageGeneratorTransformer transformer, LatentSource latents, LatentSpace space, ColumnValues? labels) : MappedBatch
{
    private float[]? _pixels; // [rows, channels, height, width]

    public override void Clear()
    {
        latents.Clear();
        labels?.Clear();
        _pixels = null;
    }

    public override void Read(int slot)
    {
        if (slot < latents.Count)
            Clear(); // a single row that follows its source
        latents.Add();
        labels?.Add();
    }

    public override Delegate CreateGetter(int column, Func<int> current) => (ValueGetter<MLImage>)((ref MLImage value) =>
    {
        var slot = current();
        var generator = transformer.Model.Generator;
        var (channels, size) = (generator.ImageChannels, generator.ImageResolution);
        _pixels ??= transformer.Generate(latents, space, labels);
        value = ImagePlanes.Create(
            _pixels.AsSpan(slot * channels * size * size, channels * size * size), channels, size, size, ImageScaling.MinusOneToOne);
    });
}
