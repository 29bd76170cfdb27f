using Numbers.Data;
using Numbers.Library;
using Numbers.Reports;
using Numbers.Settings;
using static TorchSharp.torch;

namespace Numbers.Groups;

/// <summary>Described networks: what they compute, losses of epochs and final weights.</summary>
internal static class NetworkNumbers
{
    private static readonly NetworkTraining[] s_optimizers =
    [
        new(), new() { Optimizer = "AdamW", WeightDecay = 0.1 }, new() { Optimizer = "StochasticGradientDescent", Momentum = 0.8 },
        new() { Optimizer = "StochasticGradientDescent", Shuffle = false },
    ];

    public static void Write(Report report)
    {
        report.Case("networks/forward", () =>
        {
            using var gradients = no_grad();
            foreach (var layers in (string[])["all", "pictures", "pictures to probabilities", "pictures to classes"])
            {
                using var network = Network.Create(layers, [3, 8, 8]);
                report.Tensors($"networks/initial/{layers}", network.State);
                report.Tensor($"networks/forward/{layers}", network.Forward(randn([3, 3, 8, 8], generator: new Generator(5))));
            }
        });

        foreach (var settings in s_optimizers)
        {
            var name = settings.Optimizer + (settings.Shuffle ? "" : "_in_order");
            Train(report, $"networks/{name}/squared", "pictures", settings);
            Train(report, $"networks/{name}/absolute", "pictures", settings with { Loss = "MeanAbsoluteError" });
            Train(report, $"networks/{name}/binary", "pictures to probabilities", settings with { Loss = "BinaryCrossEntropy" });
            Train(report, $"networks/{name}/binary_of_no_sigmoid", "pictures",
                settings with { Loss = "BinaryCrossEntropy", LearningRate = 1e-3 });
            Train(report, $"networks/{name}/categorical", "pictures to classes", settings with { Loss = "CategoricalCrossEntropy" });
            Train(report, $"networks/{name}/validated", "pictures", settings with { Epochs = 5 }, hasValidation: true);
            Train(report, $"networks/{name}/vector", "vector", settings);
            Train(report, $"networks/{name}/base_frozen", "dense", settings, module: () => new ConvolutionalModule());
            Train(report, $"networks/{name}/base_frozen_validated", "vector", settings,
                module: () => new ConvolutionalModule(), hasValidation: true);
            Train(report, $"networks/{name}/base_partly", "dense", settings, module: () => new ConvolutionalModule(), freezing: "1");
            Train(report, $"networks/{name}/base_whole", "dense", settings, module: () => new ConvolutionalModule(), freezing: "none");
        }

        Train(report, "networks/all_layers", "all", new() { Loss = "CategoricalCrossEntropy", Epochs = 4 });
        Train(report, "networks/stopped_early", "vector", new() { LearningRate = 0.3, Epochs = 30, EarlyStoppingPatience = 3 },
            hasValidation: true);
        Train(report, "networks/last_weights", "vector", new() { LearningRate = 0.3, Epochs = 6, KeepBestModel = false },
            hasValidation: true);
    }

    private static void Train(
        Report report, string name, string layers, NetworkTraining settings, bool hasValidation = false,
        Func<nn.Module<Tensor, Tensor>>? module = null, string freezing = "all") => report.Case(name, () =>
    {
        using var network = Network.Create(layers, [3, 8, 8], module?.Invoke(), freezing);
        var width = layers == "all" ? 4 : 3;
        var isClass = settings.Loss == "CategoricalCrossEntropy";
        var ((inputs, targets), (validationInputs, validationTargets)) = (Rows(30, width, 1, isClass), Rows(8, width, 2, isClass));
        var log = network.Train(settings, inputs, targets, hasValidation ? validationInputs : null,
            hasValidation ? validationTargets : null);
        report.Numbers($"{name}/log", log.SelectMany(epoch => epoch));
        report.Tensors($"{name}/weights", network.State);
    });

    /// <summary>Random inputs [3, 8, 8]; targets from 0 to 1 or one of the classes, by a fixed function.</summary>
    public static (float[][] Inputs, float[][] Targets) Rows(int rows, int width, int seed, bool isClass)
    {
        var random = new Random(seed);
        float[][] inputs = [.. Enumerable.Range(0, rows)
            .Select(_ => Enumerable.Range(0, 3 * 8 * 8).Select(_ => random.NextSingle() - 0.5f).ToArray())];
        return (inputs, [.. inputs.Select(row => Enumerable.Range(0, width)
            .Select(i => isClass ? (int)(Math.Abs(row[0]) * 2 * width) % width == i ? 1 : 0
                : Math.Clamp(row.Skip(i).Take(20).Sum() / 4 + 0.5f, 0, 1)).ToArray())]);
    }
}
