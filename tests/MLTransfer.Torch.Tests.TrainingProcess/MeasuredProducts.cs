using System.Diagnostics;
using System.Text.Json.Nodes;
using MLTransfer.Torch.Metrics;
using MLTransfer.Torch.Networks.StyleGan2;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Adversarial;
using MLTransfer.Torch.Training.Language;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.TrainingProcess;

/// <summary>Prints what trainings of a transformer and of a StyleGAN2 compute in by default, and how long it took to choose.</summary>
internal static class MeasuredProducts
{
    public static void Run()
    {
        using var network = CausalLanguageModel.Create(
            new JsonObject
            {
                ["model_type"] = "gpt2", ["vocab_size"] = 1000, ["n_positions"] = 64, ["n_embd"] = 768, ["n_layer"] = 1, ["n_head"] = 12,
            },
            seed: 1);
        var ids = Enumerable.Range(0, 64).ToArray();
        Time(() => new LanguageModelTrainer(network, new(), [new TrainingExample(ids, ids)]).Precision);

        using var images = new ImageSet(zeros([4, 3, 64, 64], ScalarType.Byte));
        using var model = StyleGan2Model.Create(
            StyleGan2Model.Configure(64, channelBase: 2048, channelMaximum: 128, latentWidth: 32, mappingLayers: 2));
        Time(() => new StyleGan2Trainer(model, new AdversarialTrainingOptions { BatchSize = 4 }, images).Precision);
    }

    private static void Time(Func<Precision> choose)
    {
        var start = Stopwatch.GetTimestamp();
        var precision = choose();
        Console.WriteLine($"{precision} {Stopwatch.GetElapsedTime(start).TotalMilliseconds:F0}");
    }
}
