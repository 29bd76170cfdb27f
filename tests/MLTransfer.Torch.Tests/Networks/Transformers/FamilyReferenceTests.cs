using MLTransfer.Torch.Checkpoints.Safetensors;
using MLTransfer.Torch.Networks.Transformers;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Networks.Transformers;

/// <summary>Logits of the reference stack for every family.</summary>
public class FamilyReferenceTests
{
    public static IEnumerable<TheoryDataRow<string>> Folders => FamilyFolders.All;

    [Theory]
    [MemberData(nameof(Folders))]
    public void Logits_equal_the_reference(string folder)
    {
        var files = Directory.EnumerateFiles(FamilyFolders.PathOf(folder), "forward*.safetensors").ToList();
        Assert.NotEmpty(files);
        using var network = FamilyFolders.Load(folder);
        foreach (var path in files)
        {
            using var scope = NewDisposeScope();
            using var gradients = no_grad();
            using var reference = SafetensorsFile.Open(path);
            var (result, expected, compared) = Compute(network, reference);
            var difference = ((result - expected).abs() * compared).max().item<float>();
            Assert.True(difference < (folder == "t5-v1_1-tiny" ? 3e-4 : 1e-4), $"worst difference {difference}");
            TestContext.Current.SendDiagnosticMessage($"{folder}: worst logit difference {difference}");
        }
    }

    /// <summary>What the network gives, what the reference gave, and 1 where the two are to be compared.</summary>
    private static (Tensor Result, Tensor Expected, Tensor Compared) Compute(TransformerNetwork network, SafetensorsFile reference)
    {
        switch (network)
        {
            case CausalLanguageModel { Decoder.Heads.Count: > 1 } streams:
                var ids = reference.Read("input_ids").unsqueeze(0); // [1, streams, length]
                var encoded = new EncodedText(reference.Read("encoder_hidden_states"), padding: null);
                var logits = streams.Forward(new ModelInput(ids) { Encoded = encoded });
                return (logits.squeeze(0), reference.Read("logits"), ones(1));
            case CausalLanguageModel causal:
                var input = Input(reference, "input_ids");
                return (causal.Forward(input), reference.Read("logits"), input.AttentionMask!.unsqueeze(-1));
            case MaskedLanguageModel { Encoder.Heads.Count: 0 } encoder:
                input = Input(reference, "input_ids");
                return (encoder.ComputeHiddenStates(input), reference.Read("last_hidden_state"), input.AttentionMask!.unsqueeze(-1));
            case MaskedLanguageModel masked:
                input = Input(reference, "input_ids");
                return (masked.Forward(input), reference.Read("logits"), input.AttentionMask!.unsqueeze(-1));
            case EncoderDecoderModel both:
                input = reference.Tensors.ContainsKey("text_tokens")
                    ? new ModelInput(reference.Read("text_tokens")) { AttentionMask = reference.Read("text_tokens").ne(1) }
                    : Input(reference, "input_ids");
                using (var text = both.Encode(input))
                    return (both.Forward(new ModelInput(reference.Read("decoder_input_ids")) { Encoded = text }),
                        reference.Read("logits"), ones(1));
            default:
                throw new NotSupportedException(network.GetType().Name);
        }
    }

    private static ModelInput Input(SafetensorsFile reference, string ids) => new(reference.Read(ids))
    {
        AttentionMask = reference.Read("attention_mask"),
        TokenTypeIds = reference.Tensors.ContainsKey("token_type_ids") ? reference.Read("token_type_ids") : null,
    };
}
