using AudioGeneration;
using Samples;

// Fine-tunes a pretrained generator of sounds inside an ML.NET pipeline: of music or, with --task speech, of speech.
var options = new AudioGenerationCommand();
return SampleProgram.Run(options, args, (arguments, stop, cancel) =>
{
    if (arguments.GetValue(options.Task) == SampleTask.Speech)
        VoiceGeneration.Run(options, arguments, stop, cancel);
    else
        TuneGeneration.Run(options, arguments, stop, cancel);
});
