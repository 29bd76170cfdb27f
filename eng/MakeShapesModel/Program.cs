using MLTransfer.Torch.Checkpoints.Safetensors;
using MLTransfer.Torch.Metrics;
using MLTransfer.Torch.Networks.StyleGan2;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Adversarial;

// Draws pictures of shapes and trains the embedded image generator on them, from random weights, with the library's own recipe.
//   dotnet run --project eng/MakeShapesModel -c Release -- FOLDER [IMAGES]
// FOLDER gets the run's checkpoints and grids, and in FOLDER/model the files of src/MLTransfer.Models.Shapes/model. A run that was cut off
// goes on.
using System.Globalization;
using MakeShapesModel;
using SkiaSharp;
using static TorchSharp.torch;

const int Resolution = 32;
const int PictureCount = 10_000;
const int Seed = 1;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
if (args is not ([_] or [_, _]))
{
    Console.Error.WriteLine("Usage: MakeShapesModel FOLDER [IMAGES]");
    return 1;
}

using var pixels = DrawPictures(new Random(Seed)); // uint8, [N, 3, R, R]
using var images = new ImageSet(pixels);
random.manual_seed(Seed);
using var model = StyleGan2Model.Create(
    StyleGan2Model.Configure(Resolution, channelBase: 1024, channelMaximum: 64, latentWidth: 64, mappingLayers: 4));
using (var sample = pixels[..64] / 127.5 - 1)
    ImageGrid.Write(Path.Combine(Directory.CreateDirectory(args[0]).FullName, "real.png"), sample, 16);
var result = new StyleGan2Trainer(model, new AdversarialTrainingOptions
{
    TotalImages = args.Length > 1 ? long.Parse(args[1], CultureInfo.InvariantCulture) : 60_000,
    BatchSize = 16,
    LearningRate = 0.003,
    Precision = Precision.Float32, // the same weights on any processor
    GradientPenaltyWeight = 0.05,
    StyleMixingProbability = 0.5,
    AverageHalfLife = 2_000,
    Seed = Seed,
    OutputDirectory = args[0],
    SampleImages = 5_000,
    SampleCount = 64,
    CheckpointImages = 5_000,
    CheckpointLimit = 2,
    Resume = true,
}, images).Train(new Progress());

var folder = Directory.CreateDirectory(Path.Combine(args[0], "model")).FullName;
File.WriteAllText(Path.Combine(folder, "config.json"), model.Configuration.ToJsonString() + "\n");
WriteHalf(StyleGan2Model.GeneratorFile, model.Generator);
WriteHalf(StyleGan2Model.DiscriminatorFile, model.Discriminator);

using var stored = StyleGan2Model.Load(folder);
var distances = GeneratorEvaluator.Evaluate(stored.Generator, images, new DiscriminatorFeatureExtractor(stored.Discriminator));
Console.WriteLine(
    $"{result.Images} images in {result.Elapsed.TotalMinutes:F1} minutes; Frechet distance {distances.FrechetDistance:F2} over the "
    + "discriminator's features");
return 0;

static Tensor DrawPictures(Random random)
{
    using var scope = NewDisposeScope();
    var info = new SKImageInfo(Resolution, Resolution, SKColorType.Rgba8888, SKAlphaType.Opaque);
    using var bitmap = new SKBitmap(info);
    var pixels = new byte[PictureCount * info.BytesSize];
    for (var picture = 0; picture < PictureCount; picture++)
    {
        using var canvas = new SKCanvas(bitmap);
        ShapePictures.Draw(canvas, Resolution, random);
        canvas.Flush();
        bitmap.GetPixelSpan().CopyTo(pixels.AsSpan(picture * info.BytesSize));
    }

    return tensor(pixels).view(PictureCount, Resolution, Resolution, 4).narrow(3, 0, 3).permute(0, 3, 1, 2).contiguous()
        .DetachFromDisposeScope();
}

void WriteHalf(string file, nn.Module network)
{
    using var gradients = no_grad();
    using var scope = NewDisposeScope();
    SafetensorsWriter.Write(Path.Combine(folder, file), StyleGan2Model.CheckpointTensors(network)
        .Select(pair => KeyValuePair.Create(pair.Key, pair.Value.to(ScalarType.Float16))).ToList());
}

internal sealed class Progress : IProgress<StyleGan2Progress>
{
    public void Report(StyleGan2Progress value)
    {
        if (value.Step % 25 == 0)
        {
            Console.WriteLine(
                $"{value.Images} images, {value.ImagesPerSecond:F0}/s, {value.Remaining:hh\\:mm\\:ss} left, "
                + $"generator {value.GeneratorLoss:F3}, "
                + $"discriminator {value.DiscriminatorLoss:F3}, augmentation {value.AugmentationProbability:F3}");
        }
    }
}
