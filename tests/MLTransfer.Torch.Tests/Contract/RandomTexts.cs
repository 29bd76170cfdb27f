using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks.Transformers;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Contract;

/// <summary>Random token ids, and what an encoder is given or gave where the network has one or looks at one.</summary>
internal sealed class RandomTexts : IDisposable
{
    private readonly Tensor _ids; // [rows, length] or [rows, streams, length]
    private readonly EncodedText? _encoded;

    public RandomTexts(TransformerNetwork network, int rows, int length)
    {
        var streams = network.Output.Input.Tables.Count;
        using var generator = new Generator(5);
        long[] shape = streams == 1 ? [rows, length] : [rows, streams, length];
        _ids = randint(2, network.Description.Output.Input.Rows, shape, ScalarType.Int64, generator: generator)
            .DetachFromDisposeScope();
        if (network is EncoderDecoderModel both)
        {
            using var source = randint(2, network.Description.Encoder!.Input.Rows, [rows, 9], ScalarType.Int64, generator: generator);
            using var padding = ones(rows, 9, ScalarType.Int64);
            padding[1].narrow(0, 6, 3).fill_(0);
            _encoded = both.Encode(new ModelInput(source) { AttentionMask = padding });
        }
        else if (network.Description.Decoder?.Blocks[0].Cross is not null)
        {
            _encoded = new EncodedText(randn([rows, 5, network.Description.Decoder.Width], generator: generator), padding: null);
        }
    }

    public int Length => (int)_ids.shape[^1];

    public KeyValueCache CreateCache(TransformerNetwork network, int capacity) => network switch
    {
        CausalLanguageModel causal => causal.CreateCache((int)_ids.shape[0], capacity),
        EncoderDecoderModel both => both.CreateCache((int)_ids.shape[0], capacity),
        _ => throw new NotSupportedException(),
    };

    public Tensor Logits(TransformerNetwork network, int start, int end, KeyValueCache? cache)
    {
        var input = Input(start, end) with { PastKeyValues = cache };
        return (network switch
        {
            CausalLanguageModel causal => causal.Forward(input),
            MaskedLanguageModel masked => masked.Forward(input),
            EncoderDecoderModel both => both.Forward(input),
            _ => throw new NotSupportedException(),
        }).to(ScalarType.Float32);
    }

    public Tensor Hidden(TransformerNetwork network) => network switch
    {
        CausalLanguageModel causal => causal.ComputeHiddenStates(Input(0, Length)),
        MaskedLanguageModel masked => masked.ComputeHiddenStates(Input(0, Length)),
        EncoderDecoderModel both => both.ComputeHiddenStates(Input(0, Length)),
        _ => throw new NotSupportedException(),
    };

    public void Dispose()
    {
        _ids.Dispose();
        _encoded?.Dispose();
    }

    private ModelInput Input(int start, int end) => new(_ids.narrow(-1, start, end - start)) { Encoded = _encoded };
}
