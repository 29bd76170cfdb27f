using Microsoft.ML;
using Microsoft.ML.Runtime;
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
    static abstract TSelf Load(string folderOrHubId, string folder);
}

/// <summary>A transformer with a network of texts.</summary>
internal interface ITextModelOwner<TModel> : ITransformer
    where TModel : class, ITextModel<TModel>
{
    TModel Model { get; }

    /// <summary>The model that the adapters belong to, where only they are saved.</summary>
    BaseModelReference? BaseModel { get; }

    /// <summary>The model in memory of its own, with its adapters where there are any.</summary>
    TextBaseModel<TModel> CopyModel();
}
