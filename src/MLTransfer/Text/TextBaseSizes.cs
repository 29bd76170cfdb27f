using MLTransfer.Persistence;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Tokenization;
using Microsoft.ML.Runtime;
using TorchSharp;

namespace MLTransfer.Text;

/// <summary>The sizes of what training starts from, without its weights.</summary>
/// <param name="Name">What messages call it.</param>
/// <param name="Network">On the device that holds no values.</param>
/// <param name="Tokenizer">Its tokenizer.</param>
internal sealed record TextBaseSizes(string Name, TransformerNetwork Network, TextTokenizer Tokenizer) : IDisposable
{
    /// <summary>Reads configuration and tokenizer of a base.</summary>
    /// <param name="environment">For model files.</param>
    /// <param name="options">Name the base.</param>
    /// <param name="loaded">The base, where it is no matter of the options.</param>
    public static TextBaseSizes Of<TModel>(IHostEnvironment environment, TextFineTuning options, TModel? loaded = null)
        where TModel : class, ITextModel<TModel>
    {
        var sizes = Find(environment, options, loaded);
        return options.AddTokens is { Count: > 0 } tokens ? sizes.WithTokens(tokens) : sizes;
    }

    public void Dispose() => Network.Dispose();

    private static TextBaseSizes Find<TModel>(IHostEnvironment environment, TextFineTuning options, TModel? loaded)
        where TModel : class, ITextModel<TModel>
    {
        if (loaded is null && options.BaseModel is { } transformer)
            loaded = TransformerChain.Find<ITextModelOwner<TModel>>(transformer, TModel.Wanted).Found.Model;
        if (loaded is not null)
            return Of("the loaded model", loaded);
        var name = options.PretrainedModel;
        if (ModelZip.Is(name))
        {
            var saved = ModelZip.Take<ITextModelOwner<TModel>>(environment, name, TModel.Wanted);
            using ((IDisposable)saved)
                return Of(name, saved.Model);
        }

        var folder = PretrainedModels.ResolveFolder(name, revision: null, progress: null, options.CancellationToken);
        TModel.Check(folder);
        var network = TransformerNetwork.Load(folder, device: torch.META, keepsMatrices: options.KeepsMatrices);
        return Ownership.Pass(network, () => new TextBaseSizes(name, network, TextTokenizer.Load(folder)));
    }

    private TextBaseSizes WithTokens(IReadOnlyList<string> tokens)
    {
        using (this)
        {
            var tokenizer = Tokenizer.WithTokens(tokens);
            return new(Name, Network.WithTokens(Tokenizer.VocabularySize, tokenizer.VocabularySize), tokenizer);
        }
    }

    private static TextBaseSizes Of(string name, ITextModel model) => new(
        name, TransformerNetwork.Create(model.Network.Configuration.DeepClone().AsObject(), device: torch.META), model.Tokenizer);
}
