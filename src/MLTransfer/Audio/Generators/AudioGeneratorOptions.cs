using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Audio;
using Microsoft.ML;

namespace MLTransfer;

/// <summary>
/// How <see cref="AudioGeneratorEstimator"/> fine-tunes an audio generator. <see cref="GenerateAudioOptions.Seed"/> also decides the order
/// of rows, dropout and new adapters and speakers.
/// </summary>
public sealed class AudioGeneratorOptions : GenerateAudioOptions
{
    /// <summary>
    /// What training starts from: a folder in Hugging Face layout or a hub id of a MusicGen or a VITS, or a model zip with an audio
    /// generator, which is trained on. Null where there is a <see cref="BaseModel"/>.
    /// </summary>
    public string? PretrainedModel;

    /// <summary>
    /// A loaded model or chain whose audio generator is trained on, in place of <see cref="PretrainedModel"/>; null for that. It stays as
    /// it is: its weights are copied, and adapters that it has become part of them.
    /// </summary>
    public ITransformer? BaseModel;

    /// <summary>
    /// How the network is trained, of the kind that it takes: <see cref="MusicTrainingOptions"/> for a MusicGen,
    /// <see cref="SpeechTrainingOptions"/> for a VITS. Null for the defaults of that kind. Its seed stays as it is:
    /// <see cref="GenerateAudioOptions.Seed"/> decides. In its <see cref="TrainingOptions.OutputDirectory"/> the codes of music are kept
    /// too, in the folder <c>codes</c>, so that a further run need not make them again.
    /// </summary>
    public TrainingOptions? Training;

    /// <summary>
    /// What low-rank adapters look like. Null for the usual of the kind: a MusicGen gets <see cref="LoraOptions"/> as they are by default,
    /// on the decoder, unless <see cref="AllWeights"/> says otherwise; all weights of a VITS are trained.
    /// </summary>
    public LoraOptions? Lora;

    /// <summary>Whether all weights of a MusicGen's decoder are trained in place of adapters.</summary>
    public bool AllWeights;

    /// <summary>
    /// Characters that a VITS's tokenizer is to have, such as those of another language: those that it lacks are added to it, and to the
    /// network's table with the mean of the other rows to start from. With <see cref="Lora"/> the rows of those named here are trained
    /// beside the adapters. Null for none.
    /// </summary>
    public IReadOnlyList<string>? AddCharacters;

    /// <summary>
    /// The speaker of a VITS, a name or a number, whose voice those begin with that training adds for
    /// <see cref="GenerateAudioOptions.SpeakerColumnName"/>; null for the mean of all its voices. A voice that is near to the new one, in
    /// pitch above all, leaves less to learn. Without effect where training adds none.
    /// </summary>
    public string? NewSpeakersLike;

    /// <summary>
    /// The share of the data that is held out for evaluation: its last rows, at least one of them where there are two. 0 holds nothing out.
    /// Ignored where <see cref="ValidationData"/> is given.
    /// </summary>
    public double ValidationFraction = 0.1;

    /// <summary>
    /// Rows for evaluation, with the columns that training reads; null to take a share of the training data. They do not go through the
    /// estimators before this one.
    /// </summary>
    public IDataView? ValidationData;

    /// <summary>
    /// Save the adapters of a MusicGen alone, with the id and the SHA-256 of the model that they belong to. Loading then needs that model.
    /// </summary>
    public bool SaveAdapterOnly;

    /// <summary>
    /// Told after every step and evaluation, a <see cref="MusicProgress"/> or a <see cref="SpeechProgress"/>, on the thread that trains;
    /// null for nobody.
    /// </summary>
    public IProgress<RunProgress>? Progress;

    /// <summary>
    /// Stops training, and what comes before it: it throws <see cref="OperationCanceledException"/>, which says what is kept.
    /// </summary>
    public CancellationToken CancellationToken;

    /// <summary>
    /// Ends training after the step that is being done and keeps what was learned: <c>Fit</c> returns its transformer, with a last
    /// evaluation, the weights that the options keep and, where there are checkpoints, one that a later run resumes from.
    /// <see cref="CancellationToken"/> throws instead.
    /// </summary>
    public CancellationToken StopAndKeep;

    internal override void Check()
    {
        base.Check();
        if (Training is not null)
            OptionCheck.Training(Training);
        Lora?.Check();
        if (BaseModel is null == string.IsNullOrWhiteSpace(PretrainedModel))
        {
            throw new ArgumentException(
                $"Training starts from one model: give the folder, hub id or model zip of a MusicGen or a VITS in "
                + $"{nameof(PretrainedModel)}, "
                + $"or a loaded one in {nameof(BaseModel)}.", nameof(PretrainedModel));
        }

        OptionCheck.FromZeroToLessThanOne(nameof(ValidationFraction), ValidationFraction);
        if (AddCharacters?.Any(string.IsNullOrEmpty) == true)
            throw new ArgumentException($"{nameof(AddCharacters)} holds an empty text; expected characters.", nameof(AddCharacters));
        if (NewSpeakersLike is not null && SpeakerColumnName is null)
        {
            throw new ArgumentException(
                $"{nameof(NewSpeakersLike)} is '{NewSpeakersLike}', but there is no {nameof(SpeakerColumnName)} that says who speaks: name "
                + "that column, or leave the option out.", nameof(NewSpeakersLike));
        }

        if (AllWeights && (Lora is not null || SaveAdapterOnly))
        {
            var other = Lora is not null ? nameof(Lora) : nameof(SaveAdapterOnly);
            throw new ArgumentException(
                $"{other} is for adapters, and {nameof(AllWeights)} trains weights in place of them. Leave one of them out.",
                nameof(AllWeights));
        }

        if (Training is EpochTrainingOptions { EarlyStoppingPatience: > 0 } && ValidationData is null && ValidationFraction == 0)
        {
            throw new ArgumentException(
                $"{nameof(EpochTrainingOptions.EarlyStoppingPatience)} needs {nameof(ValidationData)} or a {nameof(ValidationFraction)} "
                + "above 0.", nameof(EpochTrainingOptions.EarlyStoppingPatience));
        }
    }

    /// <exception cref="ArgumentException">An option does not fit the model that is trained.</exception>
    internal void CheckForTraining(AudioGenerationModel model)
    {
        CheckFor(model);
        CheckPhonemes(model);
        if (model is SpeechGenerationModel speech)
        {
            if (NewSpeakersLike is { } known && speech.FindSpeaker(known) is null)
            {
                var names = speech.Speakers.Count == 0 ? "" : $" or by name: {string.Join(", ", speech.Speakers.Keys)}";
                throw new ArgumentException(
                    $"{nameof(NewSpeakersLike)} is '{known}', which is no speaker of the VITS. It has {speech.Network.SpeakerCount}, by "
                    + $"number from 0{names}.");
            }

            Refuse(AllWeights, nameof(AllWeights), "is for a MusicGen; all weights of a VITS are trained where there is no Lora");
            Refuse(SaveAdapterOnly, nameof(SaveAdapterOnly), "is for a MusicGen");
        }
        else
        {
            Refuse(AddCharacters is not null, nameof(AddCharacters), "is for a VITS");
            Refuse(NewSpeakersLike is not null, nameof(NewSpeakersLike), "is for a VITS");
        }

        void Refuse(bool isSet, string option, string why)
        {
            if (isSet)
                throw new ArgumentException($"{option} {why}. The model is {model.Kind}: leave it out.", option);
        }
    }
}
