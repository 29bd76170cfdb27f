using Samples;
using TextToImage;

// Fine-tunes a pretrained generator of pictures from captions inside ML.NET, and looks whether it obeys captions of a kind new to it.
var options = new TextToImageCommand();
return SampleProgram.Run(options, args, (arguments, stop, cancel) => SceneGeneration.Run(options, arguments, stop, cancel));
