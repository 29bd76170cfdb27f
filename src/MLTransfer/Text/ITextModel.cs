using Microsoft.ML;
using MLTransfer.Cards;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Tokenization;

namespace MLTransfer.Text;

/// <summary>A network of texts with its tokenizer.</summary>
internal interface ITextModel : IDisposable
{
    TransformerNetwork Network { get; }

    TextTokenizer Tokenizer { get; }

    /// <summary>What a model card tells; null where nothing is known of the model.</summary>
    ModelCard? Card { get; set; }

    /// <summary>What clients call the model: the base that it was made from, else the kind of network.</summary>
    string Name => Card?.Base?.Name ?? $"{Network.Configuration["model_type"]}";

    /// <summary>Takes over what is known of a model of the kind, beside its network and its tokenizer.</summary>
    void TakeNotes(ITextModel from) => Card = from.Card;
}

/// <summary>A kind of network of texts with its tokenizer.</summary>
internal interface ITextModel<TSelf> : ITextModel
    where TSelf : class, ITextModel<TSelf>
{
    /// <summary>What an error calls a model without one, after "The model has".</summary>
    static abstract string Wanted { get; }

    /// <summary>Refuses a folder by its <c>config.json</c> alone, before other files of it are read.</summary>
    /// <exception cref="NotSupportedException">The architecture is not supported, or is of another kind.</exception>
    static abstract void Check(string folder);

    /// <summary>Puts a network, which belongs to the model then, and a tokenizer together.</summary>
    /// <exception cref="NotSupportedException">The network is of another kind; it is disposed.</exception>
    static abstract TSelf Create(TransformerNetwork network, TextTokenizer tokenizer, string origin);

    /// <summary>Loads a folder in Hugging Face layout.</summary>
    /// <param name="folderOrHubId">As the user names it.</param>
    /// <param name="folder">Where it is.</param>
    /// <param name="keepsMatrices">Whether matrices stay in the type of the file.</param>
    static abstract TSelf Load(string folderOrHubId, string folder, bool keepsMatrices = false);

    /// <summary>A model with the settings of this one: its card, and how it is used.</summary>
    /// <param name="network">Its network, of the same kind.</param>
    /// <param name="tokenizer">Its tokenizer.</param>
    TSelf With(TransformerNetwork network, TextTokenizer tokenizer);

    /// <summary>
    /// A model without adapters with a tokenizer that has further tokens, and room in the network for them. The one before is disposed
    /// where the result is another.
    /// </summary>
    static TSelf WithTokenizer(TSelf model, TextTokenizer tokenizer)
    {
        if (tokenizer.VocabularySize == model.Tokenizer.VocabularySize)
            return model;
        using (model)
            return model.With(model.Network.WithTokens(model.Tokenizer.VocabularySize, tokenizer.VocabularySize), tokenizer);
    }
}

/// <summary>A transformer with a network of texts.</summary>
internal interface ITextModelOwner<TModel> : ITransformer
    where TModel : class, ITextModel<TModel>
{
    TModel Model { get; }

    /// <summary>The model that the adapters belong to, where only they are saved.</summary>
    BaseModelReference? BaseModel { get; }

    /// <summary>The model in memory of its own, with its adapters where there are any.</summary>
    /// <param name="keepsMatrices">Whether matrices in a narrower type than float32 stay so.</param>
    TextBaseModel<TModel> CopyModel(bool keepsMatrices);
}
