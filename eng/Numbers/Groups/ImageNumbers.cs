using System.Text.Json.Nodes;
using Numbers.Data;
using Numbers.Library;
using Numbers.Reports;
using Numbers.Settings;
using static TorchSharp.torch;

namespace Numbers.Groups;

/// <summary>StyleGAN2: images, trainings, distances.</summary>
internal static class ImageNumbers
{
    private static string Tiny => TestData.File("stylegan2-tiny");

    public static void Write(Report report)
    {
        foreach (var type in (ScalarType?[])[null, ScalarType.BFloat16])
        {
            var format = type is null ? "float32" : "bfloat16";
            Passes(report, $"images/forward/tiny/{format}", () => ImageModel.Load(Tiny), type, Latents());
            Passes(report, $"images/forward/shapes/{format}", () => ImageModel.Load(Files.ShapesFolder), type, null);
            Passes(report, $"images/forward/random/{format}", () => ImageModel.Create(), type, null);
            Passes(report, $"images/forward/labels/{format}", () => ImageModel.Create(labels: 3, clamp: 0.7), type, null, labels: 3);
        }

        Reference(report);
        foreach (var precision in (string[])["Float32", "BFloat16"])
        {
            var settings = new ImageTraining { Precision = precision };
            var prefix = $"images/training/{precision}";
            Train(report, $"{prefix}/all", settings);
            Train(report, $"{prefix}/mixed_and_augmented",
                settings with { StyleMixing = 1, AugmentationProbability = 1, AverageHalfLife = 4, AverageRampUp = 0 });
            Train(report, $"{prefix}/plain", settings with
            {
                StyleMixing = 0, AugmentationProbability = 0, AugmentationRampImages = 0, PathLengthInterval = 0,
                GradientPenaltyInterval = 0, Mirror = false,
            });
            Train(report, $"{prefix}/penalty",
                settings with { GradientPenaltyInterval = 1, GradientPenaltyWeight = 2, PathLengthInterval = 0, Augmentations = "None" });
            Train(report, $"{prefix}/path_length",
                settings with { GradientPenaltyInterval = 0, PathLengthInterval = 1, Augmentations = "None" });
            foreach (var group in (string[])["PixelBlitting", "Geometry", "Color"])
                Train(report, $"{prefix}/{group}",
                    settings with { Augmentations = group, AugmentationProbability = 0.9, TotalImages = 12, GradientPenaltyInterval = 1 });
            Train(report, $"{prefix}/frozen",
                settings with { FreezeMapping = true, FrozenSynthesisBlocks = 1, FrozenDiscriminatorBlocks = 1 });
            Train(report, $"{prefix}/labels", settings, labels: 3);
            Train(report, $"{prefix}/evaluated", settings with { EvaluationImages = 8 });
            Train(report, $"{prefix}/shapes", settings with { TotalImages = 16, PathLengthInterval = 2, GradientPenaltyInterval = 2 },
                () => ImageModel.Load(Files.ShapesFolder), resolution: 32);
            Resumed(report, precision);
        }

        foreach (var labels in (int[])[0, 3])
        {
            report.Case($"images/distances/labels{labels}", () =>
            {
                using var model = ImageModel.Create(labels);
                report.Numbers($"images/distances/labels{labels}", model.Distances(Pixels(10, 16), Labels(10, labels), 12));
            });
        }

        report.Case("images/saved", () =>
        {
            using var model = ImageModel.Load(Tiny);
            var folder = Scratch.Folder();
            model.Save(folder);
            report.Folder("images/saved", folder);
        });
    }

    /// <summary>Squares of one color on another.</summary>
    public static Tensor Pixels(int count, int resolution)
    {
        var pixels = zeros([count, 3, resolution, resolution], ScalarType.Byte);
        for (var i = 0; i < count; i++)
            pixels[i, i % 3, (2 + i % 5)..(9 + i % 5), (1 + i % 7)..(8 + i % 7)] = 255;
        return pixels;
    }

    private static Tensor? Labels(int count, int width) =>
        width == 0 ? null : nn.functional.one_hot(arange(count) % width, width).to(ScalarType.Float32);

    private static Tensor Latents() => Files.ReadTensors(Path.Combine(Tiny, "forward.safetensors"))["z"];

    private static void Passes(Report report, string name, Func<ImageModel> load, ScalarType? type, Tensor? latents, int labels = 0) =>
        report.Case(name, () =>
    {
        using var gradients = no_grad();
        using var model = load();
        model.SetFeatureType(type);
        var z = latents ?? randn([4, model.LatentWidth], generator: new Generator(3));
        var y = Labels((int)z.shape[0], labels);
        report.Tensor($"{name}/styles", model.Map(z, y));
        report.Tensor($"{name}/styles_truncated", model.Map(z, y, 0.7, 3));
        var images = model.Generate(z, y);
        report.Tensor($"{name}/constant", images);
        report.Tensor($"{name}/none", model.Generate(z, y, noise: "None"));
        report.Tensor($"{name}/truncated", model.Generate(z, y, truncation: 0.5));
        report.Tensor($"{name}/random", model.Generate(z, y, noise: "Random", random: new Generator(4)));
        manual_seed(8);
        report.Tensor($"{name}/random_by_default", model.Generate(z, y, noise: "Random"));
        var w = model.Map(z, y);
        report.Tensor($"{name}/mixed", model.Synthesize(
            cat([w[..1, ..2], w[1..2, 2..]], 1), "Constant"));
        report.Tensor($"{name}/judged", model.Judge(images, y));
        report.Tensor($"{name}/features", model.Features(images));
    });

    private static void Reference(Report report) => report.Case("images/reference", () =>
    {
        var log = JsonNode.Parse(File.ReadAllText(Path.Combine(Tiny, "training.json")))!;
        var data = Files.ReadTensors(Path.Combine(Tiny, "training.safetensors"));
        using var model = ImageModel.Load(Tiny);
        var optimizer = log["optimizer"]!;
        var losses = model.TrainAsTheReference(
            log["log"]!.AsArray().Count, log["batch"]!.GetValue<int>(), log["r1_gamma"]!.GetValue<double>(),
            optimizer["beta1"]!.GetValue<double>(),
            optimizer["beta2"]!.GetValue<double>(), optimizer["epsilon"]!.GetValue<double>(),
            optimizer["learning_rate"]!.GetValue<double>(),
            data["real"], data["z_generator"], data["z_discriminator"]);
        report.Numbers("images/reference/losses", losses.SelectMany(step => step));
        report.Tensors("images/reference/generator", model.GeneratorWeights);
        report.Tensors("images/reference/discriminator", model.DiscriminatorWeights);
    });

    private static void Train(Report report, string name, ImageTraining settings, Func<ImageModel>? load = null, int labels = 0,
        int resolution = 16) =>
        report.Case(name, () =>
        {
            using var model = load?.Invoke() ?? ImageModel.Create(labels);
            var folder = Scratch.Path(); // for the generator whose running mean the model is
            var log = model.Train(settings with { Folder = folder, CheckpointImages = settings.TotalImages }, Pixels(10, resolution),
                Labels(10, labels))!;
            report.Numbers($"{name}/losses", log.SelectMany(step => step));
            report.Tensors($"{name}/mean_generator", model.GeneratorWeights);
            report.Tensors($"{name}/discriminator", model.DiscriminatorWeights);
            report.Tensors($"{name}/generator", Files.ReadTensors(
                Directory.GetFiles(folder, "trained-generator.safetensors", SearchOption.AllDirectories).Single())
                    .Select(t => (t.Key, t.Value)));
        });

    private static void Resumed(Report report, string precision)
    {
        var prefix = $"images/resumed/{precision}";
        report.Case(prefix, () =>
        {
            var settings = new ImageTraining { Precision = precision, CheckpointImages = 8, SampleImages = 16 };
            var whole = Finish("whole", settings with { Folder = Scratch.Path() });
            var interrupted = settings with { Folder = Scratch.Path() };
            using (var model = ImageModel.Create())
                report.Numbers($"{prefix}/interrupted/was_cancelled",
                    model.Train(interrupted, Pixels(10, 16), cancelAt: 5) is null ? 1 : 0);
            report.Same($"{prefix}/same", whole, Finish("resumed", interrupted with { Resume = true }));

            string Finish(string part, ImageTraining settings)
            {
                using var model = ImageModel.Create();
                report.Numbers($"{prefix}/{part}/losses", model.Train(settings, Pixels(10, 16))!.SelectMany(step => step));
                report.Folder($"{prefix}/{part}", settings.Folder!, file => file.EndsWith(".png", StringComparison.Ordinal)
                    || file.EndsWith(".safetensors", StringComparison.Ordinal));
                report.RunFiles($"{prefix}/{part}", settings.Folder!);
                return report.Tensors($"{prefix}/{part}/weights",
                    [.. model.GeneratorWeights.Select(t => ("0." + t.Name, t.Tensor)),
                        .. model.DiscriminatorWeights.Select(t => ("1." + t.Name, t.Tensor))]);
            }
        });
    }
}
