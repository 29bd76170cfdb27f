using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints.Safetensors;
using MLTransfer.Torch.Networks.StyleGan2;
using MLTransfer.Torch.Training.Adversarial;
using MLTransfer.Torch.Training.Optimizers;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Training.Adversarial;

/// <summary>Three updates of both networks, as the reference logged them.</summary>
public sealed class AdversarialReferenceTests
{
    private static readonly JsonNode s_log = JsonNode.Parse(File.ReadAllText(RepositoryFiles.Data("stylegan2-tiny/training.json")))!;

    [Fact]
    public void Losses_and_final_weights_equal_the_reference()
    {
        using var scope = NewDisposeScope();
        using var model = StyleGan2Model.Load(RepositoryFiles.Data("stylegan2-tiny"));
        using var data = SafetensorsFile.Open(RepositoryFiles.Data("stylegan2-tiny/training.safetensors"));
        var (real, generatorLatents, discriminatorLatents) = (data.Read("real"), data.Read("z_generator"), data.Read("z_discriminator"));
        var batch = s_log["batch"]!.GetValue<int>();
        var gamma = s_log["r1_gamma"]!.GetValue<double>();
        using var generatorOptimizer = Optimizer(model.Generator);
        using var discriminatorOptimizer = Optimizer(model.Discriminator);

        foreach (var (step, expected) in s_log["log"]!.AsArray().Index())
        {
            using var stepScope = NewDisposeScope();
            var images = model.Generator.Generate(generatorLatents[step], noise: NoiseMode.Constant);
            var generatorLoss = AdversarialLosses.TakenForReal(model.Discriminator.Forward(images));
            generatorLoss.backward();
            discriminatorOptimizer.ClearGradients();
            Step(generatorOptimizer);

            using (no_grad())
                images = model.Generator.Generate(discriminatorLatents[step], noise: NoiseMode.Constant);
            var realImages = real.narrow(0, step * batch, batch);
            var fakeLoss = AdversarialLosses.TakenForMade(model.Discriminator.Forward(images));
            var realLoss = AdversarialLosses.TakenForReal(model.Discriminator.Forward(realImages));
            var penalty = AdversarialLosses.GradientPenalty(model.Discriminator, realImages);
            (fakeLoss + realLoss + penalty * (gamma / 2)).backward();
            Step(discriminatorOptimizer);

            AssertClose("generator_loss", generatorLoss);
            AssertClose("discriminator_fake_loss", fakeLoss);
            AssertClose("discriminator_real_loss", realLoss);
            AssertClose("r1_penalty", penalty);

            void AssertClose(string name, Tensor actual)
            {
                var (want, found) = (expected![name]!.GetValue<double>(), actual.item<float>());
                Assert.True(Math.Abs(found - want) <= 1e-3 * want, $"step {step + 1}: {name} is {found}; expected {want}");
            }
        }

        AssertSameWeights("generator.final.safetensors", model.Generator);
        AssertSameWeights("discriminator.final.safetensors", model.Discriminator);
    }

    private static AdamW Optimizer(nn.Module network)
    {
        var settings = s_log["optimizer"]!;
        return new AdamW(
            network.named_parameters().Select(p => (p.name, p.parameter, Decays: false)),
            settings["beta1"]!.GetValue<double>(), settings["beta2"]!.GetValue<double>(), settings["epsilon"]!.GetValue<double>());
    }

    private static void Step(AdamW optimizer)
    {
        optimizer.Step(s_log["optimizer"]!["learning_rate"]!.GetValue<double>(), weightDecay: 0, gradientFactor: 1);
        optimizer.ClearGradients();
    }

    private static void AssertSameWeights(string file, nn.Module network)
    {
        using var reference = SafetensorsFile.Open(RepositoryFiles.Data($"stylegan2-tiny/{file}"));
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        var actual = StyleGan2Model.CheckpointTensors(network).ToDictionary();
        Assert.Equal(reference.Tensors.Keys.Order(), actual.Keys.Order());
        foreach (var (name, tensor) in actual)
        {
            var difference = (tensor - reference.Read(name)).abs().max().item<float>();
            Assert.True(difference < 1e-3, $"{name}: worst difference {difference}");
        }
    }
}
