using MLTransfer.Logging;
using MLTransfer.Text.Chats;
using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Generation;
using Microsoft.ML.Runtime;

namespace MLTransfer.Text;

/// <summary>Makes a text generator of a base by training, whatever is trained on.</summary>
/// <param name="host">For model files.</param>
/// <param name="channel">Told how it goes on.</param>
/// <param name="options">Of the estimator.</param>
/// <param name="columns">What the generator reads and makes.</param>
/// <param name="rowForm">How texts become rows.</param>
/// <param name="seed">Decides on all that is drawn.</param>
internal sealed class TextTuning(
    IHost host, IChannel channel, TextTuningOptions options, TextGeneratorColumns columns, TextRowForm rowForm, long seed)
{
    /// <summary>Answers the sample prompts of a training where they are chats; null where they are texts.</summary>
    public Func<IReadOnlyList<string>, GenerationOptions, CancellationToken, IReadOnlyList<IReadOnlyList<GeneratedText>>>? AnswersOf(
        TextGenerationModel model) => columns.Chat is not { } form ? null
        : (prompts, generation, stop) => ChatGenerator.AnswerSamples(model, form, prompts, generation, stop);

    /// <summary>Trains.</summary>
    /// <param name="baseModel">What training starts from, where it is no matter of the options.</param>
    /// <param name="prepare">Reads rows for the base, which has its adapters.</param>
    public TextGeneratorTransformer Run(TextGenerationModel? baseModel, Func<TextBaseModel<TextGenerationModel>, TextTraining> prepare)
    {
        var fineTuning = options.FineTuning;
        var start = fineTuning.LoadBase(host, baseModel, channel);
        start = start with { Model = start.Model.WithTemplateOf(columns.Chat) };
        var model = start.Model;
        return Ownership.Pass(model, () =>
        {
            var adaptersOf = fineTuning.Adapt(start, seed);
            fineTuning.Prepare(model.Network, start.Name);
            var training = prepare(start);
            channel.Info(training.Task);
            ComputationLog.Tell(channel, training.Computation);
            channel.Info($"Training data: {training.Data}. Memory: {training.EstimateMemory()}.");
            var log = new TextTrainingLog(channel, options.Progress);
            var result = training.Train(log, options.CancellationToken, options.StopAndKeep);
            log.Finished(result);
            model.Card = training.CreateCard(model.Card?.Base, result);
            if (options.Lora is not null && !options.SaveAdapterOnly)
                LowRankAdaptation.Merge(model.Network);

            DecodingNetwork.Choose(model.Network, options, channel);
            return new TextGeneratorTransformer(
                model, ownsModel: true, columns, Seeds.Fix(options.Generation, seed), options.GenerationBatchSize,
                options.DecodingPrecision, options.WeightType, rowForm, adaptersOf, result);
        });
    }
}
