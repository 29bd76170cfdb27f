using MLTransfer.Torch.Checkpoints.Safetensors;
using MLTransfer.Torch.Networks.Transformers;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Networks.Transformers;

/// <summary>Logits and losses of <c>GPT2LMHeadModel</c>.</summary>
public class Gpt2ReferenceTests
{
    [Fact]
    public void Logits_equal_the_reference()
    {
        using var scope = NewDisposeScope();
        using var reference = SafetensorsFile.Open(RepositoryFiles.Data("gpt2-tiny/forward.safetensors"));
        using var model = CausalLanguageModel.Load(RepositoryFiles.Data("gpt2-tiny"));
        model.eval();
        using var gradients = no_grad();
        var logits = model.Forward(new ModelInput(reference.Read("input_ids")) { AttentionMask = reference.Read("attention_mask") });
        var difference = (logits - reference.Read("logits")).abs().max().item<float>();
        Assert.True(difference < 1e-4, $"worst difference {difference}");
        TestContext.Current.SendDiagnosticMessage($"worst logit difference {difference}");
    }
}
