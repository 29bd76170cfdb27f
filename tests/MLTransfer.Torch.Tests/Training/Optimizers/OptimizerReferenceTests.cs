using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints.Safetensors;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Language;
using MLTransfer.Torch.Training.Optimizers;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Training.Optimizers;

/// <summary>The steps of the reference stack's optimizers on a GPT-2, reproduced one by one.</summary>
public class OptimizerReferenceTests
{
    private static readonly JsonNode s_reference =
        JsonNode.Parse(File.ReadAllText(RepositoryFiles.Data("training/optimizers.json")))!;

    [Theory]
    [InlineData("adamw", 1e-5)]
    [InlineData("adafactor", 3e-5)]
    [InlineData("adafactor_scale_parameter", 3e-5)]
    [InlineData("adafactor_momentum", 3e-5)]
    [InlineData("adafactor_relative_step", 3e-5)]
    [InlineData("sgd_momentum", 1e-5)]
    [InlineData("sgd_nesterov", 1e-5)]
    [InlineData("lion", 1e-5, 3)] // a sign near zero may flip
    [InlineData("muon", 3e-3)] // bfloat16 inside
    [InlineData("muon_float32", 1e-5)]
    [InlineData("schedule_free_adamw", 1e-5)]
    public void Every_step_and_the_final_weights_equal_the_reference(string name, double tolerance, int flippedSigns = 0)
    {
        var reference = s_reference["optimizers"]![name]!;
        var options = Options(name, reference["arguments"]!);
        options.Check();
        using var scope = NewDisposeScope();
        using var model = CausalLanguageModel.Load(RepositoryFiles.Data("gpt2-tiny"));
        var isHidden = HiddenMatrices.OfBlocks(model);
        using var optimizer = OptimizerFactory.Create(
            options, model.TrainableParameters().Select(p => new TrainedParameter(
                p.Name, p.Parameter, Decays: true, isHidden(p.Name, p.Parameter))));
        var lossTolerance = name == "muon" ? 2e-3 : 1e-4;
        foreach (var (step, expected) in reference["log"]!.AsArray().Index())
        {
            Assert.Equal(Number(expected!["loss"]), Backward(step), lossTolerance);
            Assert.Equal(Number(expected["grad_norm"]), optimizer.GradientNorm(), 1e-3 * Number(expected["grad_norm"]));
            optimizer.Step(options.LearningRate * options.RateFactor(step, totalSteps: 8), gradientFactor: 1);
            optimizer.ClearGradients();
        }

        using var final = SafetensorsFile.Open(RepositoryFiles.Data("training/optimizers.final.safetensors"));
        if (optimizer.HasOwnAverage)
        {
            AssertWeights($"{name}.train");
            optimizer.ExchangeWeights();
        }

        Assert.Equal(Number(reference["loss_of_first_batch_afterwards"]), Backward(0), lossTolerance);
        AssertWeights(name);

        double Backward(int step)
        {
            var rows = s_reference["input_ids"]!.AsArray().Skip(2 * step).Take(2)
                .Select(row => row!.AsArray().Select(id => id!.GetValue<int>()).ToArray())
                .Select(ids => new TrainingExample(ids, ids)).ToList();
            return LanguageModelLoss.Backward(model, TrainingBatch.Create(rows, CPU), 1.0 / rows.Sum(row => row.PredictedTokens));
        }

        void AssertWeights(string prefix)
        {
            var weights = model.CheckpointTensors().ToDictionary();
            var compared = final.Tensors.Keys.Where(key => key.StartsWith(prefix + ".transformer.", StringComparison.Ordinal)).ToList();
            Assert.Equal(3, compared.Count);
            foreach (var key in compared)
            {
                var differences = (weights[key[(prefix.Length + 1)..]] - final.Read(key)).abs();
                var above = (differences > tolerance).sum().item<long>();
                TestContext.Current.TestOutputHelper?.WriteLine($"{key}: worst {differences.max().item<float>():g3}, {above} above");
                Assert.True(above <= flippedSigns, $"{key}: {above} differ by up to {differences.max().item<float>()}");
                Assert.True(differences.max().item<float>() <= Math.Max(tolerance, 2.1 * flippedSigns * options.LearningRate));
            }
        }
    }

    private static LanguageTrainingOptions Options(string name, JsonNode arguments)
    {
        var betas = (arguments["betas"] ?? arguments["adamw"]?["betas"])?.AsArray();
        return new LanguageTrainingOptions
        {
            LearningRate = arguments["lr"] is { } rate ? Number(rate) : 1,
            LearningRateSchedule = LearningRateSchedule.Constant,
            WarmupSteps = arguments["warmup_steps"]?.GetValue<int>() ?? 0,
            WeightDecay = Number(arguments["weight_decay"]),
            AdamBeta1 = betas is null ? 0.9 : Number(betas[0]),
            AdamBeta2 = betas is null ? 0.999 : Number(betas[1]),
            Optimizer = name switch
            {
                "adamw" => OptimizerAlgorithm.AdamW,
                "lion" => OptimizerAlgorithm.Lion,
                "schedule_free_adamw" => OptimizerAlgorithm.ScheduleFreeAdamW,
                _ when name.StartsWith("muon", StringComparison.Ordinal) => OptimizerAlgorithm.Muon,
                _ when name.StartsWith("sgd", StringComparison.Ordinal) => OptimizerAlgorithm.StochasticGradientDescent,
                _ => OptimizerAlgorithm.Adafactor,
            },
            OptimizerOptions = name switch
            {
                "lion" => new LionOptions { Beta1 = Number(betas![0]), Beta2 = Number(betas[1]) },
                _ when name.StartsWith("muon", StringComparison.Ordinal) => new MuonOptions
                {
                    Momentum = Number(arguments["momentum"]),
                    OtherLearningRate = Number(arguments["adamw"]!["lr"]),
                    RateAdjustment = MuonRateAdjustment.Original,
                    Precision = name == "muon" ? Precision.BFloat16 : Precision.Float32,
                },
                _ when name.StartsWith("sgd", StringComparison.Ordinal) => new StochasticGradientDescentOptions
                {
                    Momentum = Number(arguments["momentum"]), Nesterov = arguments["nesterov"]?.GetValue<bool>() ?? false,
                },
                _ when name.StartsWith("adafactor", StringComparison.Ordinal) => new AdafactorOptions
                {
                    GradientEpsilon = Number(arguments["eps"]![0]),
                    ParameterEpsilon = Number(arguments["eps"]![1]),
                    ClipThreshold = Number(arguments["clip_threshold"]),
                    DecayRate = Number(arguments["decay_rate"]),
                    Beta1 = arguments["beta1"] is { } beta ? Number(beta) : null,
                    ScaleParameter = arguments["scale_parameter"]!.GetValue<bool>(),
                    RelativeStep = arguments["relative_step"]!.GetValue<bool>(),
                    WarmupInitialization = arguments["warmup_init"]!.GetValue<bool>(),
                },
                _ => null,
            },
        };
    }

    private static double Number(JsonNode? node) => node?.GetValue<double>() ?? 0;
}
