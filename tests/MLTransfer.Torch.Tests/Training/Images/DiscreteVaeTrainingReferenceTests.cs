using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Checkpoints.Safetensors;
using MLTransfer.Torch.Networks.Codecs.DiscreteVae;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Images;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Training.Images;

/// <summary>Steps of discrete VAEs with recorded noise, as the reference made and logged them.</summary>
public sealed class DiscreteVaeTrainingReferenceTests
{
    private const double LossTolerance = 9e-5;
    private const double WeightTolerance = 1.5e-4;

    [Theory]
    [InlineData("training_logit_laplace", ReconstructionLoss.LogitLaplace, CodewordRelaxation.Soft)]
    [InlineData("training_mean_squared_straight_through", ReconstructionLoss.MeanSquared, CodewordRelaxation.StraightThrough)]
    public void Dalle_losses_schedules_norms_and_weights_are_the_references(
        string run, ReconstructionLoss loss, CodewordRelaxation relaxation)
    {
        var folder = RepositoryFiles.Data("images/dvae-training-tiny");
        var arguments = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, run + ".json")))!["arguments"]!;
        var options = new DiscreteVaeTrainingOptions
        {
            ReconstructionLoss = loss,
            Relaxation = relaxation,
            BatchSize = 2,
            LearningRate = Number("learning_rate"),
            FinalLearningRate = Number("learning_rate_end"),
            LearningRateSteps = (int)Number("schedule_steps"),
            TemperatureStart = Number("temperature_start"),
            TemperatureEnd = Number("temperature_end"),
            TemperatureSteps = (int)Number("schedule_steps"),
            KlWeightStart = Number("kl_weight_start"),
            KlWeightEnd = Number("kl_weight_end"),
            KlWeightSteps = (int)Number("schedule_steps"),
        };
        using var model = DiscreteVaeModel.Load(folder);
        var schedule = new DiscreteVaeSchedule(options, model.Layout.Objective, totalSteps: 100);
        Follow(
            model, options, Path.Combine(folder, run + ".json"), Path.Combine(folder, "training.safetensors"),
            (step, _) => (schedule.Temperature(step), schedule.KlWeight(step), schedule.LearningRate(step)));
        foreach (var part in (string[])["encoder", "decoder"])
        {
            using var final = SafetensorsFile.Open(Path.Combine(folder, $"{run}.{part}.final.safetensors"));
            CompareWeights(model, final, part + ".");
        }

        double Number(string key) => arguments[key]!.GetValue<double>();
    }

    [Fact]
    public void Replicated_losses_norms_and_weights_are_the_references()
    {
        var folder = RepositoryFiles.Data("images/discrete-vae-tiny");
        using var model = DiscreteVaeModel.Load(folder);
        var options = new DiscreteVaeTrainingOptions { BatchSize = 2, LearningRate = 1e-3 }; // all else as the checkpoint says
        var schedule = new DiscreteVaeSchedule(options, model.Layout.Objective, totalSteps: 4);
        Assert.Equal((0.9, 0.9, 0.02), (schedule.Temperature(0), schedule.Temperature(3), schedule.KlWeight(2)));
        Follow(
            model, options, Path.Combine(folder, "training.json"), Path.Combine(folder, "training.safetensors"),
            (step, line) => (line["temperature"]!.GetValue<double>(), schedule.KlWeight(step), options.LearningRate));
        using var final = SafetensorsFile.Open(Path.Combine(folder, "training.final.safetensors"));
        CompareWeights(model, final, "");
    }

    private static void Follow(
        DiscreteVaeModel model, DiscreteVaeTrainingOptions options, string logFile, string dataFile,
        Func<int, JsonNode, (double Temperature, double KlWeight, double Rate)> valuesOf)
    {
        using var data = SafetensorsFile.Open(dataFile);
        using var scope = NewDisposeScope();
        var (images, noise) = (data.Read("images"), data.Read("gumbel_noise"));
        using var updates = new DiscreteVaeUpdates(model, options);
        foreach (var (step, line) in JsonNode.Parse(File.ReadAllText(logFile))!["log"]!.AsArray().Index())
        {
            var (temperature, klWeight, rate) = valuesOf(step, line!);
            int[] rows = [2 * step, 2 * step + 1];
            var losses = updates.Run(
                new TrainingStep(step, rows, rate, options, exchange: null, CancellationToken.None), temperature, klWeight,
                _ => (images.narrow(0, 2 * step, 2), noise[step]));
            Close("loss", losses.Update.Loss);
            Close("reconstruction", losses.Reconstruction);
            Close("kl", losses.Divergence);
            Close("grad_norm", losses.Update.GradientNorm);
            Close("temperature", temperature, 1e-12);
            Close("learning_rate", losses.Update.LearningRate, 1e-12);
            if (line!["kl_weight"] is not null)
                Close("kl_weight", klWeight, 1e-12);
            if (line["codes_used"] is not null)
                Close("codes_used", losses.UsedShare * model.CodebookSize, 1e-4);
            Assert.InRange(losses.Perplexity, 1, losses.UsedShare * model.CodebookSize + 1e-4);

            void Close(string name, double actual, double tolerance = LossTolerance)
            {
                var expected = line![name]!.GetValue<double>();
                Assert.True(
                    Math.Abs(expected - actual) <= tolerance * Math.Max(1, Math.Abs(expected)),
                    $"{name} of step {step + 1} is {actual}, not {expected}.");
            }
        }
    }

    private static void CompareWeights(DiscreteVaeModel model, Checkpoint expected, string prefix)
    {
        using var scope = NewDisposeScope();
        var weights = model.CheckpointTensors().ToDictionary(tensor => tensor.Key, tensor => tensor.Value);
        foreach (var name in expected.Tensors.Keys)
        {
            var difference = (expected.Read(name) - weights[prefix + name]).abs().max().item<float>();
            Assert.True(difference <= WeightTolerance, $"{name}: {difference} is more than {WeightTolerance}.");
        }
    }
}
