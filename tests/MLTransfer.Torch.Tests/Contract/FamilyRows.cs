using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Training.Language;

namespace MLTransfer.Torch.Tests.Contract;

/// <summary>Rows of random tokens in the form that a kind of network is trained on.</summary>
internal static class FamilyRows
{
    public static IReadOnlyList<TrainingExample> Of(TransformerNetwork network, int count = 3)
    {
        var random = new Random(4);
        return
        [
            .. Enumerable.Range(0, count).Select(_ =>
            {
                var ids = Ids(random.Next(6, 13));
                return network switch
                {
                    MaskedLanguageModel => new TrainingExample(ids, [.. ids.Select((id, i) => i % 3 == 0 ? id : TrainingExample.Ignored)])
                        { PredictsInPlace = true },
                    EncoderDecoderModel => new TrainingExample(ids, [TrainingExample.Ignored, .. ids[1..]]) { EncoderIds = Ids(7) },
                    _ => new TrainingExample(ids, ids),
                };
            }),
        ];

        int[] Ids(int length) => [.. Enumerable.Range(0, length).Select(_ => random.Next(3, Math.Min(90, network.VocabularySize)))];
    }

    /// <summary>Whether the trainer takes the network: it makes logits of one stream of tokens, and looks at no encoder but its own.</summary>
    public static bool CanBeMadeFor(TransformerNetwork network) => network.Output.Heads.Count == 1
        && network.Output.Input.Tables.Count == 1
        && (network is not CausalLanguageModel || network.Description.Decoder!.Blocks[0].Cross is null);
}
