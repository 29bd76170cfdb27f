using MLTransfer.Tests.Networks;
using MLTransfer.Torch.Networks.StyleGan2;
using MLTransfer.Torch.Training.Adversarial;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using static TorchSharp.torch;

namespace MLTransfer.Tests.Images;

/// <summary>A random StyleGAN2 for 16x16 pixels in a folder, and rows for it.</summary>
internal static class TinyGenerator
{
    public const int LatentWidth = 16;

    public static string Save(TemporaryFolder folder, int classes = 0)
    {
        manual_seed(11);
        using var model = StyleGan2Model.Create(StyleGan2Model.Configure(
            Drawings.Size, channelBase: 128, channelMaximum: 16, latentWidth: LatentWidth, mappingLayers: 2, labelWidth: classes));
        var path = folder["tiny"];
        model.Save(Directory.CreateDirectory(path).FullName);
        return path;
    }

    public static ImageGeneratorOptions Options(
        string model, Action<ImageGeneratorOptions>? change = null,
        Func<AdversarialTrainingOptions, AdversarialTrainingOptions>? training = null)
    {
        var standard = new AdversarialTrainingOptions { TotalImages = 16, BatchSize = 4, LearningRate = 0.01, AverageHalfLife = 4 };
        var options = new ImageGeneratorOptions
        {
            PretrainedModel = model, Training = training is null ? standard : training(standard), GenerationBatchSize = 3, Seed = 5,
        };
        change?.Invoke(options);
        return options;
    }

    public static IDataView Seeds(MLContext ml, int count) =>
        ml.Data.LoadFromEnumerable(Enumerable.Range(0, count).Select(seed => new SeedRow { Seed = seed }));

    /// <summary>The bytes of the pictures of a view.</summary>
    public static List<byte[]> Pixels(IDataView view, string column = "Picture") =>
        [.. view.GetColumn<MLImage>(column).Select(picture => picture.Pixels.ToArray())];

    /// <summary>The largest difference of two pictures' bytes.</summary>
    public static int Difference(byte[] a, byte[] b) => a.Length == b.Length ? a.Zip(b, (x, y) => Math.Abs(x - y)).Max() : int.MaxValue;
}

internal sealed class SeedRow
{
    public int Seed { get; set; }
}

internal sealed class LatentRow
{
    [VectorType(TinyGenerator.LatentWidth)]
    public float[] Latent { get; set; } = [];
}

internal sealed class PictureRow
{
    [ImageType(Drawings.Size, Drawings.Size)]
    public MLImage? Picture { get; set; }
}
